"""Reports as text: terminal, failure block, JUnit, diff and diagnosis."""
