"""What is known of firmware without a board: ClientHello families and what a hello tells."""
