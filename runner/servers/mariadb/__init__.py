"""MariaDB: a server of our own from a program on this machine, or one that is given to be read."""
