"""What a repository accepts, with its reasons: ``[[allow]]`` in the settings, and comments in the files of its migrations."""
