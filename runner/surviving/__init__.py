"""What became of base's rows: base's database compared with head's, table by table, inside the servers where that can be."""
