"""Protocol versions: each rule matches only its own failure and gives the stored text."""
