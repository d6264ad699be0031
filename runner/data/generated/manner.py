"""How sessions that make rows on PostgreSQL behave, and those that write them down."""

#: Triggers and row security stay out of it; the last two lines let the same rows come in the same order, and read the same,
#: on whatever server.
MANNER = (
    "-c session_replication_role=replica -c row_security=off -c jit=off"
    " -c log_min_duration_statement=-1 -c log_min_messages=fatal -c work_mem=64MB -c maintenance_work_mem=256MB"
    " -c max_parallel_workers_per_gather=0 -c synchronize_seqscans=off"
    " -c timezone=UTC -c datestyle=ISO,YMD -c intervalstyle=postgres -c extra_float_digits=1 -c bytea_output=hex"
)
