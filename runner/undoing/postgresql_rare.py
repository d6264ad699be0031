"""What is asked of PostgreSQL's catalogues for objects that most databases have none of, and for functions.

Rows are as in :mod:`runner.undoing.postgresql_objects`. Those that findings have no kind of their own for are named as the server
identifies them ("cast", "(integer AS public.mood)").
"""

from __future__ import annotations

from runner.undoing.postgresql_objects import _THEIRS, _address, _list, _options

FUNCTIONS = f"""
SELECT {_address("pg_proc", "pro.oid")}, 'function', nspname::text, '',
  proname || '(' || pg_get_function_identity_arguments(pro.oid) || ')', jsonb_build_object(
  'kind', CASE prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' WHEN 'w' THEN 'window function' ELSE 'function' END,
  'owner', pg_get_userbyid(proowner),
  'privileges', {_list("proacl", "f", "proowner")},
  'definition', CASE WHEN prokind <> 'a' THEN pg_get_functiondef(pro.oid) ELSE (
     SELECT pg_get_function_result(pro.oid) || ' ' || (to_jsonb(agg) - 'aggfnoid' - 'aggsortop' - 'aggtranstype' - 'aggmtranstype'
              || jsonb_build_object('state', format_type(aggtranstype, NULL), 'sort', nullif(aggsortop, 0)::regoperator::text,
                                    'moving', format_type(nullif(aggmtranstype, 0), NULL)))::text
     FROM pg_aggregate agg WHERE aggfnoid = pro.oid) END)
FROM pg_proc pro JOIN pg_namespace nsp ON nsp.oid = pronamespace
WHERE {_THEIRS} AND NOT EXISTS (
  SELECT FROM pg_depend dep WHERE dep.classid = 'pg_proc'::regclass AND dep.objid = pro.oid AND dep.deptype = 'i')
"""

STATISTICS = f"""
SELECT {_address("pg_statistic_ext", "sta.oid", of="stxrelid")}, 'statistics', nspname::text, relname::text, stxname::text,
  jsonb_build_object('definition', pg_get_statisticsobjdef(sta.oid), 'owner', pg_get_userbyid(stxowner),
  'target', nullif(to_jsonb(sta) ->> 'stxstattarget', '-1'))
FROM pg_statistic_ext sta JOIN pg_class rel ON rel.oid = stxrelid JOIN pg_namespace nsp ON nsp.oid = stxnamespace
WHERE {_THEIRS}
"""

EXTENSIONS = f"""
SELECT {_address("pg_extension", "ext.oid")}, 'extension', '', '', extname::text,
  jsonb_build_object('version', extversion, 'schema', nspname)
FROM pg_extension ext JOIN pg_namespace nsp ON nsp.oid = extnamespace
"""

EVENT_TRIGGERS = f"""
SELECT {_address("pg_event_trigger", "oid")}, 'event trigger', '', '', evtname::text, jsonb_build_object(
  'event', evtevent, 'tags', array_to_string(evttags, ', '), 'function', evtfoid::regprocedure::text,
  'owner', pg_get_userbyid(evtowner),
  'state', CASE evtenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica only' WHEN 'A' THEN 'always' END)
FROM pg_event_trigger
"""


def publications(version: int) -> str:
    """From 15 on publications have conditions, lists of columns, and whole schemas."""
    of_15 = version >= 150000
    part = "concat_ws(' ', prrelid::regclass, {}, pg_get_expr(prqual, prrelid))" if of_15 else "prrelid::regclass::text"
    columns = (
        "(SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute "
        "WHERE attrelid = prrelid AND attnum = ANY (prattrs::int2[]))"
    )
    schemas = (
        "(SELECT string_agg(pnnspid::regnamespace::text, ', ' ORDER BY pnnspid::regnamespace::text) "
        "FROM pg_publication_namespace WHERE pnpubid = pub.oid)"
    )
    return f"""
SELECT {_address("pg_publication", "pub.oid")}, 'publication', '', '', pubname::text, jsonb_build_object(
  'owner', pg_get_userbyid(pubowner), 'options', (to_jsonb(pub) - 'oid' - 'pubname' - 'pubowner')::text,
  'schemas', {schemas if of_15 else "NULL"},
  'tables', (SELECT string_agg({part.format(columns)}, ', ' ORDER BY prrelid::regclass::text)
             FROM pg_publication_rel WHERE prpubid = pub.oid))
FROM pg_publication pub
"""


DEFAULT_PRIVILEGES = f"""
SELECT {_address("pg_default_acl", "def.oid")}, 'default privileges', coalesce(nspname, '')::text, '',
  'of ' || pg_get_userbyid(defaclrole) || ' on ' || CASE defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences'
    WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas' ELSE 'large objects' END,
  jsonb_build_object('privileges', (SELECT string_agg(one::text, ', ' ORDER BY one::text) FROM unnest(defaclacl) AS one))
FROM pg_default_acl def LEFT JOIN pg_namespace nsp ON nsp.oid = defaclnamespace
"""

SETTINGS = f"""
SELECT {_address("pg_database", "dat.oid")}, 'settings of the database', '', '', 'for ' || CASE setrole WHEN 0 THEN 'everybody'
    ELSE pg_get_userbyid(setrole)::text END,
  jsonb_build_object('value', (SELECT string_agg(one, ', ' ORDER BY one) FROM unnest(setconfig) AS one))
FROM pg_db_role_setting JOIN pg_database dat ON dat.oid = setdatabase WHERE datname = current_database()
"""


def _identified(catalogue: str, facts: str, *, owner: str = "", namespace: str = "", condition: str = "true") -> str:
    """Objects that the server identifies, made by users (whose numbers begin at 16384)."""
    owned = f"'owner', pg_get_userbyid({owner}), " if owner else ""
    where = f"EXISTS (SELECT FROM pg_namespace WHERE pg_namespace.oid = {namespace} AND {_THEIRS})" if namespace else "true"
    return f"""
SELECT {_address(catalogue, "one.oid")}, said.type, '', '', said.identity, jsonb_build_object({owned}{facts})
FROM {catalogue} one CROSS JOIN LATERAL pg_identify_object('{catalogue}'::regclass, one.oid, 0) AS said
WHERE one.oid >= 16384 AND {where} AND {condition} AND NOT EXISTS (
  SELECT FROM pg_depend dep WHERE dep.classid = '{catalogue}'::regclass AND dep.objid = one.oid AND dep.deptype = 'i')
"""


def _row(*without: str) -> str:
    """The catalogue's row but for numbers that differ where an object was made anew."""
    left_out = "".join(f" - '{name}'" for name in ("oid", *without))
    return f"'definition', (to_jsonb(one){left_out})::text"


RARE = (
    _identified("pg_cast", "'function', nullif(castfunc, 0)::regprocedure::text, 'context', castcontext, 'method', castmethod"),
    _identified(
        "pg_operator",
        "'function', oprcode::text, 'result', format_type(oprresult, NULL), 'commutator', nullif(oprcom, 0)::regoperator::text, "
        "'negator', nullif(oprnegate, 0)::regoperator::text, 'estimates', oprrest || ' ' || oprjoin, "
        "'uses', oprcanhash || ' ' || oprcanmerge",
        owner="oprowner",
        namespace="oprnamespace",
        condition="oprcode <> 0",
    ),
    _identified(
        "pg_opclass",
        "'definition', concat_ws(' ', opcintype::regtype, CASE WHEN opcdefault THEN 'default' END, "
        "nullif(opckeytype, 0)::regtype)",
        owner="opcowner",
        namespace="opcnamespace",
    ),
    _identified(
        "pg_opfamily",
        "'operators', (SELECT string_agg(concat_ws(' ', amopstrategy, amopopr::regoperator, amoppurpose), ', ' "
        "ORDER BY amopstrategy, amopopr::regoperator::text) FROM pg_amop WHERE amopfamily = one.oid), "
        "'functions', (SELECT string_agg(concat_ws(' ', amprocnum, amproc, amproclefttype::regtype, amprocrighttype::regtype), "
        "', ' ORDER BY amprocnum, amproclefttype::regtype::text, amprocrighttype::regtype::text) FROM pg_amproc "
        "WHERE amprocfamily = one.oid)",
        owner="opfowner",
        namespace="opfnamespace",
    ),
    _identified(
        "pg_collation",
        _row("collnamespace", "collowner", "collversion", "collencoding"),
        owner="collowner",
        namespace="collnamespace",
    ),
    _identified("pg_conversion", _row("connamespace", "conowner"), owner="conowner", namespace="connamespace"),
    _identified(
        "pg_ts_config",
        "'parser', (SELECT prsname FROM pg_ts_parser prs WHERE prs.oid = cfgparser), 'dictionaries', (SELECT string_agg("
        "maptokentype || ' ' || mapdict::regdictionary, ', ' ORDER BY maptokentype, mapseqno) FROM pg_ts_config_map "
        "WHERE mapcfg = one.oid)",
        owner="cfgowner",
        namespace="cfgnamespace",
    ),
    _identified(
        "pg_ts_dict",
        "'template', (SELECT tmplname FROM pg_ts_template tpl WHERE tpl.oid = dicttemplate), 'options', dictinitoption",
        owner="dictowner",
        namespace="dictnamespace",
    ),
    _identified("pg_ts_parser", _row("prsnamespace"), namespace="prsnamespace"),
    _identified("pg_ts_template", _row("tmplnamespace"), namespace="tmplnamespace"),
    _identified(
        "pg_language",
        f"'privileges', {_list('lanacl', 'l', 'lanowner')}, 'trusted', lanpltrusted::text, "
        "'handler', nullif(lanplcallfoid, 0)::regprocedure::text",
        owner="lanowner",
    ),
    _identified("pg_am", "'handler', amhandler::text, 'type', amtype"),
    _identified(
        "pg_foreign_data_wrapper",
        f"'options', {_options('fdwoptions')}, 'handler', nullif(fdwhandler, 0)::regprocedure::text, "
        f"'validator', nullif(fdwvalidator, 0)::regprocedure::text, 'privileges', {_list('fdwacl', 'F', 'fdwowner')}",
        owner="fdwowner",
    ),
    _identified(
        "pg_foreign_server",
        f"'options', {_options('srvoptions')}, 'type', srvtype, 'version', srvversion, "
        f"'privileges', {_list('srvacl', 'S', 'srvowner')}",
        owner="srvowner",
    ),
    _identified("pg_user_mapping", "'options', md5(array_to_string(umoptions, ','))"),  # it may hold a password
    _identified(
        "pg_transform", "'from', nullif(trffromsql, 0)::regprocedure::text, 'to', nullif(trftosql, 0)::regprocedure::text"
    ),
)
