"""What is declared of a document database, and the commands that bring a database there."""
