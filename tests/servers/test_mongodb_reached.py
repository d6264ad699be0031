"""How a given MongoDB is reached: by TLS, as a user with few rights, by mongodb+srv; what does not hold is said in its words."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dns.message
import dns.resolver
import dns.rrset
import pytest
import trustme
from given_mongods import Settings, standing
from pymongo import MongoClient

from checks.declared.expectations import Expectations
from checks.document_targets import Stored
from checks.evidence import Evidence
from checks.interface import Engine
from checks.targets import Role
from runner.backends import mongodb as backend
from runner.errors import DbproofError, ServerFailed, UsageError
from runner.servers.interface import Wanted
from runner.servers.mongodb import given
from runner.servers.mongodb.address import parsed
from runner.servers.mongodb.installations import Installation
from runner.servers.mongodb.overview import overview
from runner.servers.registry import provision

PASSWORD = "c4nary-p@ss:word/%"
WRITTEN = "c4nary-p%40ss%3Aword%2F%25"
CANARIES = ("c4nary", "p%40ss", "p@ss", f":{WRITTEN}@")


def looked_at(url: str, **more: Any) -> Wanted:
    return Wanted(Engine.MONGODB, url=url, standing=True, **more)


def said(url: str, kind: type[DbproofError]) -> str:
    """What is said of an address that does not lead anywhere, without a part of it."""
    with pytest.raises(kind) as caught, provision(looked_at(url)):
        pass
    words = f"{caught.value.message} {caught.value.remedy}"
    assert [canary for canary in CANARIES if canary in words] == []
    return words


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(given, "_PATIENCE", 1.0)


@dataclass(frozen=True)
class Encrypted:
    """A standalone server that is reached by TLS and password only, and what it is trusted by."""

    port: int
    trust: Path

    def url(self, user: str = f"reader:{WRITTEN}", database: str = "shop", host: str = "127.0.0.1", options: str = "") -> str:
        return f"mongodb://{user}@{host}:{self.port}/{database}?tls=true&tlsCAFile={self.trust}{options}"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def encrypted(mongod: Installation, authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Encrypted]:
    trust = tmp_path_factory.mktemp("trust") / "ca.pem"
    authority.cert_pem.write_to_path(str(trust))

    def change(settings: Settings, place: Path) -> None:
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(place / "server.pem"))
        authority.cert_pem.write_to_path(str(place / "ca.pem"))
        files = {"certificateKeyFile": str(place / "server.pem"), "CAFile": str(place / "ca.pem")}
        settings["net"]["tls"] = {"mode": "requireTLS", "allowConnectionsWithoutCertificates": True, **files}

    client: MongoClient[dict[str, Any]]
    with ExitStack() as stack:
        server = stack.enter_context(standing(mongod, change))
        client = stack.enter_context(MongoClient(server.keyholder.url(), tls=True, tlsCAFile=str(trust)))
        client.shop.companies.insert_many([{"name": "a"}, {"name": "b"}])
        client.shop.command("createUser", "reader", pwd=PASSWORD, roles=["read"])
        client.shop.command("createUser", "nobody", pwd="nobody", roles=[])
        client.admin.command("createUser", "root", pwd="root", roles=["root"])
        yield Encrypted(server.port, trust)


def test_a_standalone_server_is_read_by_tls_as_a_user_who_may_read(encrypted: Encrypted) -> None:
    with provision(looked_at(encrypted.url())) as server:
        database = server.database("x")
        assert overview(database).rows == {"companies": 2}
        with backend.target(server, None, database, Expectations(), Evidence()) as target, target.documents() as documents:
            assert documents.count("companies", {"name": "a"}) == 1
            assert len(list(documents.aggregate("companies", [{"$match": {}}]))) == 2
            assert documents.explain("companies", {})["executionStats"]["totalDocsExamined"] == 2


@pytest.mark.parametrize("users", [True, False])
def test_a_standalone_server_that_is_disposable_gets_databases_and_copies(
    users: bool, encrypted: Encrypted, mongod: Installation
) -> None:
    """Such a server, without users, is what the service containers of CI systems are."""
    with ExitStack() as stack:
        url = encrypted.url("root:root", options="&authSource=admin")
        if not users:
            url = f"mongodb://127.0.0.1:{stack.enter_context(standing(mongod, without_users)).port}"
        server = stack.enter_context(provision(Wanted(Engine.MONGODB, url=url, disposable=True)))
        fresh = server.create("mine")
        owner: MongoClient[dict[str, Any]] = stack.enter_context(MongoClient(fresh.addresses[Role.OWNER].url()))
        owner[fresh.name].companies.insert_one({"name": "a"})
        golden = server.seal(fresh)
        with server.clone(golden) as clone:
            assert owner[clone.name].companies.count_documents({}) == 1
        with (
            backend.target(server, golden, golden.database, Expectations(), Evidence()) as target,
            target.scratch(["companies"]) as scratch,
        ):
            assert scratch.insert("companies", {"name": "b"}) == Stored(1)


def without_users(settings: Settings, _: Path) -> None:
    del settings["security"]


def test_the_password_and_the_database_of_the_user_must_be_right(encrypted: Encrypted) -> None:
    for wrong in (
        encrypted.url(user="reader:c4nary"),
        encrypted.url(user=f"nobody-c4nary:{WRITTEN}"),
        encrypted.url(options="&authSource=admin"),
        encrypted.url(options="&authMechanism=SCRAM-SHA-1", user="reader:c4nary"),
    ):
        assert "does not accept the user and password (authSource names" in said(wrong, ServerFailed)


def test_a_certificate_that_is_not_accepted_is_said_with_its_reason(
    encrypted: Encrypted, tmp_path: Path, authority: trustme.CA
) -> None:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    nobody = encrypted.url().replace(str(encrypted.trust), str(tmp_path / "other.pem"))
    assert "nobody whom tlsCAFile or this machine trusts signed it" in said(nobody, ServerFailed)
    assert "it is for another host than the URL names" in said(encrypted.url(host="localhost"), ServerFailed)
    today = datetime.datetime.now(datetime.UTC)
    old = authority.issue_cert("127.0.0.1", not_before=today - datetime.timedelta(9), not_after=today - datetime.timedelta(1))
    with shaking_hands(old) as port:
        expired = encrypted.url().replace(f":{encrypted.port}/", f":{port}/")
        assert "its certificate has expired" in said(expired, ServerFailed)


@contextmanager
def shaking_hands(certificate: trustme.LeafCert) -> Iterator[int]:
    """The port of a listener that begins TLS with a certificate with which no server would start."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)

    def answer(connection: socket.socket) -> None:
        with suppress(OSError), context.wrap_socket(connection, server_side=True):
            pass

    with answering(answer) as port:
        yield port


@contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """The port of a listener that answers each connection, one after the other."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def listen() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        answer(connection)

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def test_a_url_and_a_server_that_do_not_agree_on_tls(encrypted: Encrypted, mongo_server: Any) -> None:
    plain = f"mongodb://reader:{WRITTEN}@127.0.0.1:{encrypted.port}/shop"
    assert "it may want TLS (tls=true)" in said(plain, ServerFailed)
    asked = f"mongodb://reader:{WRITTEN}@127.0.0.1:{mongo_server.private.port}/shop?tls=true"
    assert "the URL asks for TLS, which it does not speak" in said(asked, ServerFailed)


def test_files_of_the_url_are_there_and_hold_certificates(encrypted: Encrypted, tmp_path: Path) -> None:
    gone, empty = tmp_path / "gone.pem", tmp_path / "empty.pem"
    empty.write_text("nothing")
    for file, words in ((gone, "No such file"), (empty, "holds no certificate")):
        assert words in said(encrypted.url().replace(str(encrypted.trust), str(file)), UsageError)
    assert str(gone) in said(encrypted.url(options=f"&tlsCertificateKeyFile={gone}"), UsageError)


def test_what_answers_is_no_mongodb() -> None:
    with answering(lambda connection: connection.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")) as port:
        assert "is no MongoDB" in said(f"mongodb://u:{WRITTEN}@127.0.0.1:{port}/d", ServerFailed)


def test_a_standalone_server_is_no_replica_set(encrypted: Encrypted) -> None:
    assert "no member of the replica set" in said(encrypted.url(options="&replicaSet=rs0"), ServerFailed)


def test_a_database_that_is_none_is_not_judged_as_an_empty_one(encrypted: Encrypted) -> None:
    words = said(encrypted.url("root:root", "shopp", options="&authSource=admin"), UsageError)
    assert "no database 'shopp', or none with a collection; did you mean 'shop'?" in words
    assert "Correct the name" in words
    assert "did you mean" not in said(encrypted.url("root:root", "elsewhere", options="&authSource=admin"), UsageError)


def test_a_user_who_may_not_even_list_collections_is_told_what_to_ask_for(encrypted: Encrypted) -> None:
    words = said(encrypted.url(user="nobody:nobody"), ServerFailed)
    assert "the collections of the database 'shop' cannot be listed: its user may not do this" in words
    assert "the role `read` on 'shop'" in words
    assert "did you mean 'shop'?" in said(encrypted.url(database="shopp") + "&authSource=shop", ServerFailed)


@pytest.mark.parametrize(
    ("options", "written"),
    [
        ("", "tls=true&authSource=admin&replicaSet=rs0"),
        ("?tls=false&readPreference=secondaryPreferred", "tls=false&readPreference=secondaryPreferred"),
    ],
)
def test_srv_addresses_bring_hosts_and_options(options: str, written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with naming() as port:
        asked = dns.resolver.Resolver(configure=False)
        asked.nameservers, asked.port = ["127.0.0.1"], port
        monkeypatch.setattr(dns.resolver, "default_resolver", asked)
        address = parsed(f"mongodb+srv://u:{WRITTEN}@shop.cluster.example/shop{options}")
    assert sorted(address.host.split(",")) == ["one.cluster.example:27017", "two.cluster.example:27018"]
    assert (address.user, address.password, address.database) == ("u", PASSWORD, "shop")
    brought = {"authSource": "admin", "replicaSet": "rs0", "tls": "true"}
    told = dict(part.split("=") for part in written.split("&"))
    assert address.extra == {**brought, **told}


@contextmanager
def naming() -> Iterator[int]:
    """The port of a name server for one cluster."""
    records = {
        "_mongodb._tcp.shop.cluster.example.": (
            "SRV",
            ["0 0 27017 one.cluster.example.", "0 0 27018 two.cluster.example."],
        ),
        "shop.cluster.example.": ("TXT", ['"authSource=admin&replicaSet=rs0"']),
    }
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))

        def listen() -> None:
            with suppress(OSError):
                while True:
                    asked, sender = listener.recvfrom(4096)
                    question = dns.message.from_wire(asked)
                    answer = dns.message.make_response(question)
                    kind, values = records[question.question[0].name.to_text()]
                    answer.answer = [dns.rrset.from_text(question.question[0].name, 60, "IN", kind, *values)]
                    listener.sendto(answer.to_wire(), sender)

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
