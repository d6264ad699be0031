"""The self-proof in words: how many planted faults were found, which were missed, and which checks nothing could turn red."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from checks.interface import Json
from runner.report import FaultState, PlantedFault, Report, ReportedDatabase, SelfProof
from runner.reports import wording

#: How many missed faults of a database the console names.
NAMED = 8


def proofs(report: Report) -> Iterator[tuple[ReportedDatabase, SelfProof]]:
    """The databases that faults were planted for."""
    return ((one, one.selftest) for one in report.databases if one.selftest is not None)


def _sentence(found: int, planted: int) -> str:
    return f"{wording.thousands(found)} of {wording.thousands(planted)} planted faults found"


def sentence_of(proof: SelfProof) -> str:
    """The same of one database, with how far its self-proof went: ``16 of 16 planted faults found, a sample of 0.3 s``."""
    if proof.allowance is None:
        return _sentence(proof.found, proof.planted)
    more = f", no time for {wording.plural(proof.left_out, 'more kind')}" if proof.left_out else ""
    return f"{_sentence(proof.found, proof.planted)}, a sample within {wording.duration(proof.allowance)}{more}"


def self_proof(report: Report) -> list[str]:
    """What the console says: how many were found, then what was missed, and the checks that nothing could turn red."""
    found, planted = sum(one.found for _, one in proofs(report)), sum(one.planted for _, one in proofs(report))
    if not planted:
        return []
    return [_sentence(found, planted), *(line for at in proofs(report) for line in _missed(report, *at))]


def _missed(report: Report, database: ReportedDatabase, proof: SelfProof) -> Iterator[str]:
    faults = proof.of(FaultState.MISSED)
    for fault in faults[:NAMED]:
        yield wording.with_database(report, database, f"{fault.check} missed {name(fault)}")
    if len(faults) > NAMED:
        yield f"and {wording.thousands(len(faults) - NAMED)} more, see report.json"
    if faults and proof.vacuous:
        checks = wording.listing([gap.subject for gap in proof.vacuous])
        yield wording.with_database(report, database, f"no fault could turn red: {checks}")


def name(fault: PlantedFault) -> str:
    """``swapped-rule of orders.buyer_id -> users.id``."""
    return f"{fault.kind} of {fault.place}" if fault.place else fault.kind


def not_found(proof: SelfProof) -> Iterator[tuple[str, str, str, str]]:
    """What is worth a row: check, fault, what became of it, and why; then the vacuous checks."""
    for fault in proof.faults:
        if fault.state is not FaultState.FOUND:
            yield fault.check, name(fault), fault.state.value.replace("-", " "), fault.reason
    for gap in proof.vacuous:
        yield gap.subject, "", "vacuous", gap.reason


def lines_of(database: str, proof: SelfProof) -> Iterator[str]:
    """A table of one database: a line for each kind of fault, and one for each that was not found."""
    kinds: dict[tuple[str, str], list[PlantedFault]] = {}
    for fault in proof.faults:
        kinds.setdefault((fault.check, fault.kind), []).append(fault)
    width = max((len(check) for check, _ in kinds), default=0)
    for (check, kind), faults in kinds.items():
        planted = [fault for fault in faults if fault.state is not FaultState.NOT_PLANTED]
        found = sum(fault.state is FaultState.FOUND for fault in planted)
        count = f"{found} of {len(planted)}" if planted else "-"
        yield f"{count:>12}  {check:<{width}}  {kind}"
        for fault in faults:
            if fault.state is not FaultState.FOUND:
                state = "missed" if fault.state is FaultState.MISSED else "not planted"
                yield f"{'':>12}  {state}{f' of {fault.place}' if fault.place else ''}: {fault.reason}"
    yield f"{database}: {sentence_of(proof)} in {wording.duration(proof.seconds)}"
    for gap in proof.vacuous:
        yield f"{database}: no fault could turn {gap.subject} red: {gap.reason}"


def properties(database: ReportedDatabase) -> Mapping[str, str]:
    """For JUnit, as texts."""
    proof = database.selftest
    if proof is None:
        return {}
    listed = ", ".join(f"{fault.check}: {name(fault)}" for fault in proof.of(FaultState.MISSED))
    return {
        "selftest_planted": str(proof.planted),
        "selftest_found": str(proof.found),
        "selftest_missed": listed,
        "selftest_vacuous": ", ".join(gap.subject for gap in proof.vacuous),
    }


def as_json(proof: SelfProof | None) -> Json:
    """For ``report.json``; ``null`` where no fault was planted at all."""
    if proof is None:
        return None
    return {
        "planted": proof.planted,
        "found": proof.found,
        "score": None if proof.score is None else round(proof.score, 6),
        "seconds": round(proof.seconds, 6),
        "allowance": proof.allowance,
        "left_out": proof.left_out,
        "faults": [
            {"kind": one.kind, "check": one.check, "place": one.place, "state": one.state.value, "reason": one.reason}
            for one in proof.faults
        ],
        "vacuous": [{"check": gap.subject, "reason": gap.reason} for gap in proof.vacuous],
    }
