"""row-security-not-forced: no policy holds the owner of a table, nor a role that has the owner's rights."""

from __future__ import annotations

from judging import Judge, Query

from checks.declared.expectations import Expectations
from checks.tenants.declared import Tenancy
from checks.tenants.templates import parse_template

CHECK = "row-security-not-forced"
ROLE = 'not forced "%☃'
QUOTED = '"not forced ""%☃"'
EXPECT = Expectations(tenancy=Tenancy(("t",), (), frozenset(), ROLE, parse_template("set app.t = {t}", ["t"])))
DDL = "CREATE TABLE walled (t int); ALTER TABLE walled ENABLE ROW LEVEL SECURITY; CREATE TABLE open (t int);"


def test_an_application_that_owns_its_tables(judge: Judge, query: Query) -> None:
    assert judge(CHECK, DDL, EXPECT).gaps == {"walled": f"there is no role {ROLE}"}
    query(f"CREATE ROLE {QUOTED}; CREATE ROLE not_forced_owner")
    assert judge(CHECK, "SELECT", EXPECT).proven == ["walled"]
    owned = judge(CHECK, f"ALTER TABLE walled OWNER TO {QUOTED}", EXPECT).finding
    assert "which owns it" in owned.message
    assert judge(CHECK, owned.remedy.partition(" or let")[0], EXPECT).proven == ["walled"]
    member = f"ALTER TABLE walled NO FORCE ROW LEVEL SECURITY, OWNER TO not_forced_owner; GRANT not_forced_owner TO {QUOTED}"
    assert "has the privileges of its owner not_forced_owner" in judge(CHECK, member, EXPECT).finding.message
    query(f"DROP OWNED BY {QUOTED}, not_forced_owner; DROP ROLE {QUOTED}, not_forced_owner")


def test_without_a_declared_role_there_is_nothing_to_judge(judge: Judge) -> None:
    assert judge(CHECK, DDL).all == ()
