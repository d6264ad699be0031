"""`dbproof check`: a look at databases that exist, in which nothing is applied and nothing is written."""
