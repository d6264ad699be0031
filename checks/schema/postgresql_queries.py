"""What :mod:`checks.schema.postgresql` asks of the system catalogues, PostgreSQL 12 to 18."""

from __future__ import annotations

SESSION = """
SELECT coalesce(pg_catalog.current_schema()::text, 'public'), pg_catalog.current_setting('search_path')
"""

SET_PATH = "SELECT pg_catalog.set_config('search_path', :path, false)"

RELATIONS = """
SELECT rel.oid::bigint, nsp.nspname::text, rel.relname::text, rel.relkind = 'p', wholensp.nspname::text, whole.relname::text,
       CASE WHEN rel.relhastriggers THEN (
         SELECT pg_catalog.json_agg(pg_catalog.json_build_array(
                  trg.tgname, pg_catalog.pg_get_triggerdef(trg.oid), trg.tgenabled,
                  coalesce(pg_catalog.to_jsonb(trg) ->> 'tgparentid', '0') <> '0') ORDER BY trg.tgname)::text
         FROM pg_catalog.pg_trigger trg WHERE trg.tgrelid = rel.oid AND NOT trg.tgisinternal) END,
       policies.listed, rel.relrowsecurity, rel.relforcerowsecurity, pg_catalog.pg_get_userbyid(rel.relowner)::text,
       CASE WHEN rel.relispartition THEN pg_catalog.pg_get_partition_constraintdef(rel.oid) END
FROM pg_catalog.pg_class rel
JOIN pg_catalog.pg_namespace nsp ON nsp.oid = rel.relnamespace
LEFT JOIN pg_catalog.pg_inherits inh ON rel.relispartition AND inh.inhrelid = rel.oid
LEFT JOIN pg_catalog.pg_class whole ON whole.oid = inh.inhparent
LEFT JOIN pg_catalog.pg_namespace wholensp ON wholensp.oid = whole.relnamespace
LEFT JOIN (
  SELECT pol.polrelid, pg_catalog.json_agg(pg_catalog.json_build_array(
           pol.polname, pol.polcmd, pol.polpermissive, ARRAY(
             SELECT rol.rolname FROM pg_catalog.pg_roles rol WHERE rol.oid = ANY (pol.polroles) ORDER BY 1),
           pg_catalog.pg_get_expr(pol.polqual, pol.polrelid),
           pg_catalog.pg_get_expr(pol.polwithcheck, pol.polrelid)) ORDER BY pol.polname)::text AS listed
  FROM pg_catalog.pg_policy pol GROUP BY pol.polrelid
) policies ON policies.polrelid = rel.oid
WHERE rel.relkind IN ('r', 'p') AND rel.relpersistence <> 't'
  AND nsp.nspname <> 'information_schema' AND nsp.nspname !~ '^pg_'
  AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend dep
    WHERE dep.classid = 'pg_catalog.pg_class'::regclass AND dep.objid = rel.oid AND dep.objsubid = 0 AND dep.deptype = 'e')
"""

COLUMNS = """
WITH RECURSIVE below(domain, type, modifier, not_null) AS (
  SELECT oid, typbasetype, typtypmod, typnotnull FROM pg_catalog.pg_type WHERE typtype = 'd'
  UNION ALL
  SELECT below.domain, typ.typbasetype, CASE WHEN below.modifier = -1 THEN typ.typtypmod ELSE below.modifier END,
         below.not_null OR typ.typnotnull
  FROM below JOIN pg_catalog.pg_type typ ON typ.oid = below.type AND typ.typtype = 'd'
), ground AS (
  SELECT below.* FROM below JOIN pg_catalog.pg_type typ ON typ.oid = below.type AND typ.typtype <> 'd'
), labels AS (
  SELECT enumtypid, pg_catalog.array_agg(enumlabel::text ORDER BY enumsortorder) AS listed
  FROM pg_catalog.pg_enum GROUP BY enumtypid
), chain(domain, part) AS (
  SELECT oid, oid FROM pg_catalog.pg_type WHERE typtype = 'd'
  UNION ALL
  SELECT chain.domain, below.oid
  FROM chain
  JOIN pg_catalog.pg_type typ ON typ.oid = chain.part
  JOIN pg_catalog.pg_type below ON below.oid = typ.typbasetype AND below.typtype = 'd'
), ruled AS (
  SELECT chain.domain, pg_catalog.json_agg(pg_catalog.json_build_array(
           con.conname, nsp.nspname, typ.typname, pg_catalog.pg_get_expr(con.conbin, 0)) ORDER BY con.conname)::text AS listed
  FROM chain
  JOIN pg_catalog.pg_constraint con ON con.contypid = chain.part AND con.contype = 'c'
  JOIN pg_catalog.pg_type typ ON typ.oid = chain.part
  JOIN pg_catalog.pg_namespace nsp ON nsp.oid = typ.typnamespace
  GROUP BY chain.domain
)
SELECT att.attrelid::bigint, att.attname::text, pg_catalog.format_type(att.atttypid, att.atttypmod),
       NOT (att.attnotnull OR coalesce(ground.not_null, false)), pg_catalog.pg_get_expr(def.adbin, def.adrelid),
       att.attgenerated <> '', att.attidentity <> '',
       CASE WHEN coll.collname = 'default' THEN NULL
            WHEN collnsp.nspname = 'pg_catalog' THEN pg_catalog.quote_ident(coll.collname)
            ELSE pg_catalog.quote_ident(collnsp.nspname) || '.' || pg_catalog.quote_ident(coll.collname) END,
       pg_catalog.format_type(ground.type, ground.modifier), labels.listed,
       pg_catalog.format_type(element.oid, coalesce(ground.modifier, att.atttypmod)), ruled.listed
FROM pg_catalog.pg_attribute att
LEFT JOIN pg_catalog.pg_attrdef def ON def.adrelid = att.attrelid AND def.adnum = att.attnum
LEFT JOIN pg_catalog.pg_collation coll ON coll.oid = att.attcollation
LEFT JOIN pg_catalog.pg_namespace collnsp ON collnsp.oid = coll.collnamespace
LEFT JOIN ground ON ground.domain = att.atttypid
LEFT JOIN pg_catalog.pg_type element ON element.typarray = coalesce(ground.type, att.atttypid)
LEFT JOIN labels ON labels.enumtypid = coalesce(element.oid, ground.type, att.atttypid)
LEFT JOIN ruled ON ruled.domain = att.atttypid
WHERE att.attrelid = ANY (CAST(:relations AS oid[])) AND att.attnum > 0 AND NOT att.attisdropped
ORDER BY att.attrelid, att.attnum
"""

# A foreign key of a partitioned table has a row for each partition, of the child and of the parent: conparentid tells them.
FOREIGN_KEYS = """
WITH RECURSIVE climb(constraint_, relation, work) AS (
  SELECT trg.tgconstraint, trg.tgrelid,
         CASE WHEN prc.proname LIKE '%\\_del' THEN 'delete' WHEN prc.proname LIKE '%\\_check\\_%' THEN 'check' ELSE 'update' END
  FROM pg_catalog.pg_trigger trg
  JOIN pg_catalog.pg_proc prc ON prc.oid = trg.tgfoid AND prc.proname LIKE 'RI\\_FKey\\_%'
  WHERE trg.tgconstraint <> 0 AND trg.tgenabled IN ('D', 'R')
  UNION
  SELECT con.conparentid, climb.relation, climb.work
  FROM climb JOIN pg_catalog.pg_constraint con ON con.oid = climb.constraint_ AND con.conparentid <> 0
), off AS (
  SELECT climb.constraint_, climb.work, pg_catalog.json_agg(
           pg_catalog.json_build_array(nsp.nspname, rel.relname) ORDER BY nsp.nspname, rel.relname) AS tables
  FROM climb
  JOIN pg_catalog.pg_class rel ON rel.oid = climb.relation
  JOIN pg_catalog.pg_namespace nsp ON nsp.oid = rel.relnamespace
  GROUP BY climb.constraint_, climb.work
), works AS (
  SELECT constraint_, pg_catalog.json_object_agg(work, tables)::text AS off FROM off GROUP BY constraint_
)
SELECT con.conrelid::bigint, con.conname::text, ARRAY(
         SELECT att.attname::text FROM pg_catalog.unnest(con.conkey) WITH ORDINALITY AS part(attnum, place)
         LEFT JOIN pg_catalog.pg_attribute att ON att.attrelid = con.conrelid AND att.attnum = part.attnum ORDER BY part.place),
       nsp.nspname::text, parent.relname::text, ARRAY(
         SELECT att.attname::text FROM pg_catalog.unnest(con.confkey) WITH ORDINALITY AS part(attnum, place)
         LEFT JOIN pg_catalog.pg_attribute att ON att.attrelid = con.confrelid AND att.attnum = part.attnum ORDER BY part.place),
       ARRAY(
         SELECT CASE WHEN oprnsp.nspname = 'pg_catalog' THEN opr.oprname::text
                     ELSE 'OPERATOR(' || pg_catalog.quote_ident(oprnsp.nspname) || '.' || opr.oprname || ')' END
         FROM pg_catalog.unnest(con.conpfeqop) WITH ORDINALITY AS part(operator, place)
         JOIN pg_catalog.pg_operator opr ON opr.oid = part.operator
         JOIN pg_catalog.pg_namespace oprnsp ON oprnsp.oid = opr.oprnamespace ORDER BY part.place),
       con.confdeltype::text, con.confupdtype::text, con.confmatchtype::text,
       con.condeferrable, con.condeferred, con.convalidated, con.conenforced, con.conperiod, ARRAY(
         SELECT att.attname::text FROM pg_catalog.unnest(con.confdelsetcols) WITH ORDINALITY AS part(attnum, place)
         JOIN pg_catalog.pg_attribute att ON att.attrelid = con.conrelid AND att.attnum = part.attnum ORDER BY part.place),
       works.off
FROM pg_catalog.pg_constraint con
JOIN pg_catalog.pg_class parent ON parent.oid = con.confrelid
JOIN pg_catalog.pg_namespace nsp ON nsp.oid = parent.relnamespace
LEFT JOIN works ON works.constraint_ = con.oid
WHERE con.contype = 'f' AND con.conparentid = 0 AND con.conrelid = ANY (CAST(:relations AS oid[]))
ORDER BY con.conrelid, con.conname
"""

CHECKS = """
SELECT con.conrelid::bigint, con.conname::text, pg_catalog.pg_get_expr(con.conbin, con.conrelid),
       con.convalidated, con.conenforced
FROM pg_catalog.pg_constraint con
JOIN pg_catalog.pg_class rel ON rel.oid = con.conrelid
WHERE con.contype = 'c' AND con.conrelid = ANY (CAST(:relations AS oid[]))
  AND NOT (rel.relispartition AND con.coninhcount > 0)
ORDER BY con.conrelid, con.conname
"""

# The text of an expression is asked of the server only where there is one: it is slow among thousands.
INDEXES = """
WITH backing AS (
  SELECT con.conindid AS oid, pg_catalog.max(con.contype::text) FILTER (WHERE con.contype IN ('p', 'u', 'x')) AS kind,
         pg_catalog.bool_or(con.contype = 'f') AS referred
  FROM pg_catalog.pg_constraint con WHERE con.conindid <> 0 GROUP BY con.conindid
)
SELECT idx.indrelid::bigint, rel.relname::text,
       ARRAY(
         SELECT att.attname::text
         FROM pg_catalog.unnest((idx.indkey::int2[])[0:idx.indnkeyatts - 1]) WITH ORDINALITY AS part(attnum, place)
         LEFT JOIN pg_catalog.pg_attribute att ON att.attrelid = idx.indrelid AND att.attnum = part.attnum ORDER BY part.place),
       idx.indisunique, idx.indisprimary, pg_catalog.pg_get_expr(idx.indpred, idx.indrelid),
       idx.indisvalid AND idx.indisready AND idx.indislive, am.amname::text,
       pg_catalog.pg_get_indexdef(idx.indexrelid), whole.relname::text,
       ARRAY(
         SELECT pg_catalog.concat_ws(' ',
                  coalesce(pg_catalog.quote_ident(att.attname),
                           pg_catalog.pg_get_indexdef(idx.indexrelid, part.place::int, false)),
                  idx.indclass[part.place::int - 1], idx.indcollation[part.place::int - 1], idx.indoption[part.place::int - 1],
                  own.attoptions::text)
         FROM pg_catalog.unnest((idx.indkey::int2[])[0:idx.indnkeyatts - 1]) WITH ORDINALITY AS part(attnum, place)
         JOIN pg_catalog.pg_attribute own ON own.attrelid = idx.indexrelid AND own.attnum = part.place
         LEFT JOIN pg_catalog.pg_attribute att ON att.attrelid = idx.indrelid AND att.attnum = part.attnum ORDER BY part.place),
       ARRAY(
         SELECT att.attname::text
         FROM pg_catalog.unnest((idx.indkey::int2[])[idx.indnkeyatts:]) AS part(attnum)
         JOIN pg_catalog.pg_attribute att ON att.attrelid = idx.indrelid AND att.attnum = part.attnum ORDER BY 1),
       coalesce(rel.reloptions, '{}') || CASE WHEN idx.indnullsnotdistinct THEN ARRAY['nulls not distinct'] ELSE '{}' END
         || CASE WHEN idx.indimmediate THEN '{}' ELSE ARRAY['deferrable'] END,
       backing.kind, coalesce(backing.referred, false) OR idx.indisreplident OR idx.indisclustered, rel.oid::bigint
FROM pg_catalog.pg_index idx
LEFT JOIN backing ON backing.oid = idx.indexrelid
JOIN pg_catalog.pg_class rel ON rel.oid = idx.indexrelid
JOIN pg_catalog.pg_am am ON am.oid = rel.relam
LEFT JOIN pg_catalog.pg_inherits inh ON rel.relispartition AND inh.inhrelid = rel.oid
LEFT JOIN pg_catalog.pg_class whole ON whole.oid = inh.inhparent
WHERE idx.indrelid = ANY (CAST(:relations AS oid[]))
ORDER BY idx.indrelid, rel.relname
"""

# Through the default of a column (serial, or nextval written by hand), or as an identity's own.
SEQUENCES = """
WITH used AS (
  SELECT def.adrelid AS relation, def.adnum AS attnum, dep.refobjid AS sequence_
  FROM pg_catalog.pg_depend dep
  JOIN pg_catalog.pg_attrdef def ON def.oid = dep.objid
  WHERE dep.classid = 'pg_catalog.pg_attrdef'::regclass AND dep.refclassid = 'pg_catalog.pg_class'::regclass
    AND pg_catalog.pg_get_expr(def.adbin, def.adrelid) ~ $re$^nextval\\('([^']|'')*'::regclass\\)$$re$
  UNION
  SELECT dep.refobjid, dep.refobjsubid, dep.objid
  FROM pg_catalog.pg_depend dep
  WHERE dep.classid = 'pg_catalog.pg_class'::regclass AND dep.refclassid = 'pg_catalog.pg_class'::regclass AND dep.deptype = 'i'
    AND dep.refobjsubid > 0
)
SELECT used.relation::bigint, nsp.nspname::text, rel.relname::text, att.attname::text, seq.seqincrement, seq.seqmin, seq.seqmax,
       seq.seqcycle
FROM used
JOIN pg_catalog.pg_sequence seq ON seq.seqrelid = used.sequence_
JOIN pg_catalog.pg_class rel ON rel.oid = seq.seqrelid
JOIN pg_catalog.pg_namespace nsp ON nsp.oid = rel.relnamespace
JOIN pg_catalog.pg_attribute att ON att.attrelid = used.relation AND att.attnum = used.attnum
WHERE used.relation = ANY (CAST(:relations AS oid[]))
  AND att.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
ORDER BY used.relation, att.attnum, rel.relname
"""
