"""What is asked of PostgreSQL's catalogues, 12 to 18, to know all that a database is made of; one query a kind of object.

Each row begins with the object's address (class, number, number of the column), the number of the relation that it belongs to
(0 for none), its kind in our words, its schema, relation and name, and then what it is: a JSON object of facts as text, in the
words of the server's own functions. What the server gives by itself is left out, so that "as by default" has no fact: a
privilege that is granted to whom has it anyway, a column's usual storage. So is what another object says already: the parts of
partitions and of tables that inherit, the index behind a constraint, the sequence behind an identity.
"""

from __future__ import annotations


def _list(acl: str, kind: str, owner: str) -> str:
    """The privileges of an object beside those that it has by default, and of those the ones that it has not, as text."""
    usual = f"acldefault('{kind}', {owner})"
    who = "CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee)::text END"
    by = f"CASE WHEN grantor <> {owner} THEN ' by ' || pg_get_userbyid(grantor) ELSE '' END"
    item = f"{who} || ' ' || privilege_type || CASE WHEN is_grantable THEN ' with grant option' ELSE '' END || {by}"

    def beside(some: str, others: str) -> str:
        apart = f"(SELECT {item} FROM aclexplode({some}) EXCEPT SELECT {item} FROM aclexplode({others})) AS each (one)"
        return f"(SELECT string_agg(one, ', ' ORDER BY one) FROM {apart})"

    return f"CASE WHEN {acl} IS NOT NULL THEN concat_ws(', ', {beside(acl, usual)}, 'not ' || {beside(usual, acl)}) END"


def _options(column: str) -> str:
    """Options in the order of their names, without what the server keeps among them for itself."""
    return f"(SELECT string_agg(one, ', ' ORDER BY one) FROM unnest({column}) AS one WHERE one !~ '^pg_')"


def _address(catalogue: str, oid: str, subid: str = "0", of: str = "0") -> str:
    return f"'{catalogue}'::regclass::oid::bigint, {oid}::bigint, {subid}::int, {of}::bigint"


#: Schemas that are the server's.
_THEIRS = "nspname <> 'information_schema' AND nspname !~ '^pg_'"

SCHEMAS = f"""
SELECT {_address("pg_namespace", "oid")}, 'schema', nspname::text, '', '', jsonb_build_object(
  'owner', pg_get_userbyid(nspowner), 'privileges', {_list("nspacl", "n", "nspowner")})
FROM pg_namespace WHERE {_THEIRS}
"""

RELATIONS = f"""
SELECT {_address("pg_class", "rel.oid", of="rel.oid")}, CASE WHEN relkind IN ('v', 'm') THEN 'view' ELSE 'table' END,
  nspname::text, CASE WHEN relkind IN ('v', 'm') THEN '' ELSE relname::text END,
  CASE WHEN relkind IN ('v', 'm') THEN relname::text ELSE '' END, jsonb_build_object(
  'kind', CASE relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'f' THEN 'foreign table'
                       WHEN 'v' THEN 'view' ELSE 'materialized view' END,
  'owner', pg_get_userbyid(relowner),
  'privileges', {_list("relacl", "r", "relowner")},
  'persistence', CASE relpersistence WHEN 'u' THEN 'unlogged' END,
  'access method', nullif(am.amname, 'heap'),
  'tablespace', spc.spcname,
  'options', {_options("reloptions")},
  'options of long values', (SELECT {_options("toast.reloptions")} FROM pg_class toast WHERE toast.oid = rel.reltoastrelid),
  'row security', CASE WHEN relrowsecurity AND relforcerowsecurity THEN 'on, forced' WHEN relrowsecurity THEN 'on'
                       WHEN relforcerowsecurity THEN 'off, forced' END,
  'replica identity', CASE relreplident WHEN 'n' THEN 'nothing' WHEN 'f' THEN 'full' WHEN 'i' THEN (
     SELECT 'index ' || quote_ident(one.relname) FROM pg_index JOIN pg_class one ON one.oid = indexrelid
     WHERE indrelid = rel.oid AND indisreplident) END,
  'clustering', (SELECT quote_ident(one.relname) FROM pg_index JOIN pg_class one ON one.oid = indexrelid
                 WHERE indrelid = rel.oid AND indisclustered),
  'row type', CASE WHEN reloftype <> 0 THEN format_type(reloftype, NULL) END,
  'parents', (SELECT string_agg(inhparent::regclass::text, ', ' ORDER BY inhseqno) FROM pg_inherits WHERE inhrelid = rel.oid),
  'partition key', CASE relkind WHEN 'p' THEN pg_get_partkeydef(rel.oid) END,
  'bounds', pg_get_expr(relpartbound, rel.oid),
  'definition', CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(rel.oid) END,
  'rows', CASE WHEN relkind = 'm' AND NOT relispopulated THEN 'none yet' END,
  'server', (SELECT quote_ident(srvname) FROM pg_foreign_table JOIN pg_foreign_server srv ON srv.oid = ftserver
             WHERE ftrelid = rel.oid),
  'server options', (SELECT {_options("ftoptions")} FROM pg_foreign_table WHERE ftrelid = rel.oid))
FROM pg_class rel JOIN pg_namespace nsp ON nsp.oid = relnamespace
LEFT JOIN pg_am am ON am.oid = relam LEFT JOIN pg_tablespace spc ON spc.oid = reltablespace
WHERE relkind IN ('r', 'p', 'f', 'v', 'm') AND relpersistence <> 't' AND {_THEIRS}
"""

#: What identity and other sequences count by; ``one`` is the row of pg_sequence.
_COUNTING = """concat_ws(', ', format_type(one.seqtypid, NULL), 'start ' || one.seqstart, 'increment ' || one.seqincrement,
   'minimum ' || one.seqmin, 'maximum ' || one.seqmax, 'cache ' || one.seqcache, CASE WHEN one.seqcycle THEN 'cycle' END)"""

#: What a column inherits belongs to its parent; what it has of its own is said with its table (see ``OWN_PARTS``).
COLUMNS = f"""
SELECT {_address("pg_class", "attrelid", "attnum", "attrelid")}, 'column', nspname::text, relname::text, attname::text,
  jsonb_build_object(
  'type', format_type(atttypid, atttypmod),
  'collation', CASE WHEN attcollation <> typcollation THEN attcollation::regcollation::text END,
  'default', CASE WHEN attgenerated = '' THEN pg_get_expr(adbin, adrelid) END,
  'generated value', CASE WHEN attgenerated <> '' THEN
     pg_get_expr(adbin, adrelid) || CASE attgenerated WHEN 's' THEN ' stored' ELSE ' virtual' END END,
  'identity', CASE WHEN attidentity <> '' THEN (
     SELECT CASE attidentity WHEN 'a' THEN 'always' ELSE 'by default' END || ', ' || {_COUNTING}
     FROM pg_sequence one JOIN pg_depend dep ON dep.classid = 'pg_class'::regclass AND dep.objid = one.seqrelid
      AND dep.refclassid = 'pg_class'::regclass AND dep.refobjid = attrelid AND dep.refobjsubid = attnum
      AND dep.deptype = 'i') END,
  'rule on NULL', CASE WHEN attnotnull THEN 'NOT NULL' END,
  'storage', CASE WHEN attstorage <> typstorage THEN attstorage::text END,
  'compression', nullif(to_jsonb(att) ->> 'attcompression', ''),
  'statistics target', nullif(attstattarget, -1)::text,
  'options', {_options("attoptions")},
  'server options', {_options("attfdwoptions")},
  'privileges', {_list("attacl", "c", "relowner")})
FROM pg_attribute att JOIN pg_class rel ON rel.oid = attrelid JOIN pg_namespace nsp ON nsp.oid = relnamespace
JOIN pg_type typ ON typ.oid = atttypid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p', 'f') AND relpersistence <> 't' AND attislocal AND {_THEIRS}
"""

#: What the columns of views, and those that a table inherits, have of their own: said of the relation, by the column's name.
OWN_PARTS = f"""
SELECT attrelid::bigint, attname::text, jsonb_build_object(
  'default', CASE WHEN pg_get_expr(def.adbin, def.adrelid) IS DISTINCT FROM pg_get_expr(above.adbin, above.adrelid)
    THEN coalesce(pg_get_expr(def.adbin, def.adrelid), 'none') END,
  'rule on NULL', CASE WHEN att.attnotnull AND NOT coalesce(parent.attnotnull, false) THEN 'NOT NULL' END,
  'privileges', {_list("att.attacl", "c", "relowner")})
FROM (SELECT attrelid, attname, attnum, attnotnull, attacl, relowner, attislocal, relkind
      FROM pg_attribute JOIN pg_class rel ON rel.oid = attrelid JOIN pg_namespace nsp ON nsp.oid = relnamespace
      WHERE attnum > 0 AND NOT attisdropped AND relpersistence <> 't' AND {_THEIRS}
        AND (relkind IN ('v', 'm') OR relkind IN ('r', 'p', 'f') AND NOT attislocal)) att
LEFT JOIN pg_attrdef def ON def.adrelid = attrelid AND def.adnum = att.attnum
LEFT JOIN LATERAL (
  SELECT one.attrelid AS relation, one.attnum AS number, one.attnotnull
  FROM pg_inherits JOIN pg_attribute one ON one.attrelid = inhparent AND one.attname = att.attname
  WHERE inhrelid = att.attrelid ORDER BY inhseqno LIMIT 1) parent ON att.relkind NOT IN ('v', 'm')
LEFT JOIN pg_attrdef above ON above.adrelid = parent.relation AND above.adnum = parent.number
WHERE att.attacl IS NOT NULL OR def.oid IS NOT NULL OR above.oid IS NOT NULL OR att.attnotnull
"""

#: NOT NULL is said of the column (from 18 on it is a constraint too), a constraint trigger as the trigger that it is.
CONSTRAINTS = f"""
SELECT {_address("pg_constraint", "con.oid", of="con.conrelid")}, 'constraint', nspname::text,
  coalesce(rel.relname, typname)::text, conname::text, jsonb_build_object(
  'definition', pg_get_constraintdef(con.oid),
  'triggers', (SELECT 'not all enabled' FROM pg_trigger WHERE tgconstraint = con.oid AND tgenabled <> 'O' LIMIT 1),
  'index options', {_options("idx.reloptions")},
  'tablespace', spc.spcname,
  'valid index', CASE WHEN NOT indisvalid THEN 'not' END)
FROM pg_constraint con LEFT JOIN pg_class rel ON rel.oid = conrelid LEFT JOIN pg_type typ ON typ.oid = contypid
JOIN pg_namespace nsp ON nsp.oid = connamespace
LEFT JOIN pg_class idx ON idx.oid = conindid AND contype IN ('p', 'u', 'x') LEFT JOIN pg_index ON indexrelid = idx.oid
LEFT JOIN pg_tablespace spc ON spc.oid = idx.reltablespace
WHERE contype IN ('c', 'f', 'p', 'u', 'x') AND (conislocal OR conrelid = 0) AND conparentid = 0 AND {_THEIRS}
  AND coalesce(rel.relpersistence, 'p') <> 't'
"""

INDEXES = f"""
SELECT {_address("pg_class", "idx.oid", of="indrelid")}, 'index', nspname::text, rel.relname::text, idx.relname::text,
  jsonb_build_object(
  'definition', CASE WHEN indisunique THEN 'UNIQUE ' ELSE '' END
     || substr(pg_get_indexdef(idx.oid), strpos(pg_get_indexdef(idx.oid), ' USING ') + 1),
  'valid', CASE WHEN NOT indisvalid THEN 'not' END,
  'tablespace', spc.spcname,
  'statistics targets', (SELECT string_agg(attnum || ': ' || attstattarget, ', ' ORDER BY attnum) FROM pg_attribute
                         WHERE attrelid = idx.oid AND attstattarget >= 0))
FROM pg_index JOIN pg_class idx ON idx.oid = indexrelid JOIN pg_class rel ON rel.oid = indrelid
JOIN pg_namespace nsp ON nsp.oid = rel.relnamespace LEFT JOIN pg_tablespace spc ON spc.oid = idx.reltablespace
WHERE NOT idx.relispartition AND rel.relpersistence <> 't' AND {_THEIRS}
  AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = idx.oid AND contype IN ('p', 'u', 'x'))
"""

TRIGGERS = f"""
SELECT {_address("pg_trigger", "trg.oid", of="tgrelid")}, 'trigger', nspname::text, relname::text, tgname::text,
  jsonb_build_object('definition', pg_get_triggerdef(trg.oid),
  'state', CASE tgenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica only' WHEN 'A' THEN 'always' END)
FROM pg_trigger trg JOIN pg_class rel ON rel.oid = tgrelid JOIN pg_namespace nsp ON nsp.oid = relnamespace
WHERE NOT tgisinternal AND coalesce(to_jsonb(trg) ->> 'tgparentid', '0') = '0' AND relpersistence <> 't' AND {_THEIRS}
"""

POLICIES = f"""
SELECT {_address("pg_policy", "pol.oid", of="polrelid")}, 'policy', nspname::text, relname::text, polname::text,
  jsonb_build_object(
  'command', CASE polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE'
                         ELSE 'ALL' END,
  'mode', CASE WHEN NOT polpermissive THEN 'restrictive' END,
  'roles', (SELECT string_agg(CASE one WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(one)::text END, ', ' ORDER BY one)
            FROM unnest(polroles) AS one),
  'condition', pg_get_expr(polqual, polrelid), 'condition on what is written', pg_get_expr(polwithcheck, polrelid))
FROM pg_policy pol JOIN pg_class rel ON rel.oid = polrelid JOIN pg_namespace nsp ON nsp.oid = relnamespace
WHERE {_THEIRS}
"""

RULES = f"""
SELECT {_address("pg_rewrite", "rul.oid", of="ev_class")}, 'rule', nspname::text, relname::text, rulename::text,
  jsonb_build_object('definition', pg_get_ruledef(rul.oid),
  'state', CASE ev_enabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica only' WHEN 'A' THEN 'always' END)
FROM pg_rewrite rul JOIN pg_class rel ON rel.oid = ev_class JOIN pg_namespace nsp ON nsp.oid = relnamespace
WHERE rulename <> '_RETURN' AND relpersistence <> 't' AND {_THEIRS}
"""

#: One that belongs to a column goes with it, and has its table's owner.
SEQUENCES = f"""
SELECT {_address("pg_class", "rel.oid", of="coalesce(dep.refobjid, 0)")}, 'sequence', nspname::text, '', rel.relname::text,
  jsonb_build_object('counting', {_COUNTING},
  'owner', CASE WHEN dep.refobjid IS NULL THEN pg_get_userbyid(rel.relowner) END,
  'privileges', {_list("rel.relacl", "s", "rel.relowner")},
  'persistence', CASE rel.relpersistence WHEN 'u' THEN 'unlogged' END,
  'column', (SELECT attname FROM pg_attribute WHERE attrelid = dep.refobjid AND attnum = dep.refobjsubid))
FROM pg_sequence one JOIN pg_class rel ON rel.oid = seqrelid JOIN pg_namespace nsp ON nsp.oid = relnamespace
LEFT JOIN pg_depend dep ON dep.classid = 'pg_class'::regclass AND dep.objid = rel.oid AND dep.refclassid = 'pg_class'::regclass
  AND dep.refobjsubid > 0 AND dep.deptype IN ('a', 'i')
WHERE dep.deptype IS DISTINCT FROM 'i' AND rel.relpersistence <> 't' AND {_THEIRS}
"""

TYPES = f"""
SELECT {_address("pg_type", "typ.oid")}, 'type', nspname::text, '', typname::text, jsonb_build_object(
  'kind', CASE typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'c' THEN 'composite' WHEN 'r' THEN 'range'
                       ELSE 'base' END,
  'owner', pg_get_userbyid(typowner),
  'privileges', {_list("typacl", "T", "typowner")},
  'labels', (SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = typ.oid),
  'type', CASE typtype WHEN 'd' THEN format_type(typbasetype, typtypmod) END,
  'default', typdefault,
  'rule on NULL', CASE WHEN typnotnull THEN 'NOT NULL' END,
  'collation', CASE WHEN typtype = 'd' AND typcollation <> (SELECT base.typcollation FROM pg_type base
                                                             WHERE base.oid = typ.typbasetype)
    THEN typcollation::regcollation::text END,
  'attributes', CASE typtype WHEN 'c' THEN (
     SELECT string_agg(concat_ws(' ', quote_ident(attname), format_type(atttypid, atttypmod), CASE
              WHEN attcollation <> part.typcollation THEN 'COLLATE ' || attcollation::regcollation END), ', ' ORDER BY attnum)
     FROM pg_attribute JOIN pg_type part ON part.oid = atttypid
     WHERE attrelid = typ.typrelid AND attnum > 0 AND NOT attisdropped) END,
  'range', (SELECT concat_ws(', ', format_type(rngsubtype, NULL), (SELECT opcname FROM pg_opclass WHERE oid = rngsubopc),
              nullif(rngcollation, 0)::regcollation::text, nullif(rngcanonical::oid, 0)::regprocedure::text,
              nullif(rngsubdiff::oid, 0)::regprocedure::text)
            FROM pg_range WHERE rngtypid = typ.oid),
  'functions', CASE typtype WHEN 'b' THEN concat_ws(', ', typinput::text, typoutput::text, typlen::text, typalign::text) END)
FROM pg_type typ JOIN pg_namespace nsp ON nsp.oid = typnamespace LEFT JOIN pg_class rel ON rel.oid = typrelid
WHERE (typtype IN ('e', 'd', 'r') OR typtype = 'c' AND relkind = 'c'
       OR typtype = 'b' AND NOT EXISTS (SELECT FROM pg_type one WHERE one.typarray = typ.oid)) AND {_THEIRS}
"""
