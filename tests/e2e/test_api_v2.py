# SPDX-License-Identifier: MIT
"""Managing over HTTP, API v2: each verb, each error, whose what is, and what its description says."""

import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time
import unittest
import urllib.parse
import uuid

import incoming
from sandbox import SOURCE, fresh, shared, wait_for
from test_api_send import Api, message

PORT = 5000
ROOT = "/api/v2/organizations"
SEND = "/api/v1/send/message"
READ = "/api/v1/messages/deliveries"
PROCESSES = "SELECT state FROM information_schema.processlist"


class Manager:
    """A client with a token."""

    def __init__(self, token):
        self.token = token

    def ask(self, method, path, body=None, headers=()):
        """(status, fields, JSON or None) of one request on a connection of its own."""
        link = http.client.HTTPConnection("127.0.0.1", PORT, timeout=120)
        sent = {"Authorization": f"Bearer {self.token}"} if self.token is not None else {}
        if body is not None:
            sent["Content-Type"] = "application/json"
        sent.update(headers)
        octets = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
        link.request(method, path, octets, {name: value for name, value in sent.items() if value is not None})
        answer = link.getresponse()
        text = answer.read().decode()
        link.close()
        assert answer.headers["Cache-Control"] == "no-store", (method, path, dict(answer.headers), text)
        assert answer.headers["X-Content-Type-Options"] == "nosniff", (method, path)
        if not text:
            return answer.status, answer.headers, None
        assert answer.headers["Content-Type"] == "application/json; charset=utf-8", (method, path)
        return answer.status, answer.headers, json.loads(text)


def new_token(sandbox, *options):
    """(name, client)"""
    name = f"t{uuid.uuid4().hex[:8]}"
    return name, Manager(sandbox.outrider("token", "add", name, *options)["token"])


def new_server(sandbox):
    """An organization with a server of its own: (organization, path of the server, client for the server)."""
    name = f"o{uuid.uuid4().hex[:8]}"
    sandbox.outrider("organization", "add", name)
    sandbox.outrider("server", "add", f"{name}/main")
    return name, f"{ROOT}/{name}/servers/main", new_token(sandbox, "--owner", f"{name}/main")[1]


class Case(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.sandbox = shared()
        cls.all = new_token(cls.sandbox)[1]
        cls.organization, cls.server, cls.one = new_server(cls.sandbox)

    def ask(self, method, path, body=None, client=None, **options):
        return (client or self.one).ask(method, path, body, **options)

    def good(self, method, path, body=None, status=200, client=None):
        got, fields, answer = self.ask(method, path, body, client)
        self.assertEqual(got, status, answer)
        return answer

    def refused(self, status, code, method, path, body=None, client=None, field=None, **options):
        got, fields, answer = self.ask(method, path, body, client, **options)
        self.assertEqual((got, answer["error"]["code"]), (status, code), (method, path, body, answer))
        self.assertEqual(set(answer), {"error"})
        self.assertEqual(set(answer["error"]), {"code", "field", "message"})
        if field:
            self.assertEqual(answer["error"]["field"], field, answer)
        self.assertNotIn("database", answer["error"]["message"])
        return fields, answer["error"]["message"]

    def endpoint(self, client=None, server=None, **fields):
        """A new one's path."""
        body = {"name": f"e{uuid.uuid4().hex[:8]}", "url": "https://hooks.example.com/x", **fields}
        got, answered, record = self.ask("POST", f"{server or self.server}/endpoints", body, client)
        self.assertEqual(got, 201, record)
        self.assertEqual(record["name"], body["name"])
        return answered["Location"]

    def domain(self, server=None):
        name = f"d{uuid.uuid4().hex[:8]}.test"
        owner = f"{self.organization}/main" if server is None else server
        self.sandbox.outrider("domain", "add", owner, name)
        return name


class Verbs(Case):
    def test_endpoint(self):
        path = self.endpoint(name="hook a/b %?#", timeout=7, attachments=False)
        self.assertTrue(path.endswith("/endpoints/hook%20a%2Fb%20%25%3F%23"), path)
        record = self.good("GET", path)
        self.assertEqual(record, self.sandbox.outrider("endpoint", "show", f"{self.organization}/main", "hook a/b %?#"))
        self.assertEqual((record["kind"], record["timeout"], record["attachments"]), ("http", 7, False))
        changed = self.good("PATCH", path, {"strip_replies": True, "name": "new"})
        self.assertEqual({**record, "name": "new", "strip_replies": True, "revision": changed["revision"]}, changed)
        self.refused(404, "not_found", "GET", path)
        path = f"{self.server}/endpoints/new"
        self.assertIn(changed, self.good("GET", f"{self.server}/endpoints")["endpoints"])
        self.assertIsNone(self.good("DELETE", path, status=204))
        for method, body in (("GET", None), ("DELETE", None), ("PATCH", {"timeout": 9})):
            self.refused(404, "not_found", method, path, body)

    def test_kinds_of_endpoints(self):
        for fields, shown in (({"smtp": "mx.example.com:2525", "tls": "verify"},
                               {"kind": "smtp", "host": "mx.example.com", "port": 2525, "tls": "verify"}),
                              ({"lmtp": "1.1.1.1"}, {"kind": "lmtp", "host": "1.1.1.1", "port": 24}),
                              ({"address": "a@example.com"}, {"kind": "address", "address": "a@example.com"})):
            body = {"name": f"e{uuid.uuid4().hex[:8]}", **fields}
            record = self.good("POST", f"{self.server}/endpoints", body, 201)
            self.assertEqual({name: record[name] for name in shown}, shown)

    def test_route(self):
        domain = self.domain()
        name = self.good("GET", self.endpoint())["name"]
        body = {"address": f"info@{domain.upper()}", "endpoints": [name], "spam_mode": "quarantine"}
        status, fields, record = self.ask("POST", f"{self.server}/routes", body)
        self.assertEqual(status, 201, record)
        path = f"{self.server}/routes/info@{domain}"
        self.assertEqual(fields["Location"], path)
        self.assertEqual((record["address"], record["mode"], record["endpoints"], record["spam_mode"]),
                         (f"info@{domain}", "endpoint", [name], "quarantine"))
        self.assertEqual(record["forward_address"], f"{record['token']}@in.outrider.test")
        told = self.sandbox.outrider("route", "show", f"{self.organization}/main", f"info@{domain}")
        self.assertEqual({**told, "endpoints": [name]}, record)
        self.assertEqual(self.good("GET", path.replace("@", "%40")), record)
        self.refused(409, "in_use", "DELETE", f"{self.server}/endpoints/{name}")
        self.assertIsNone(self.good("DELETE", f"{self.server}/endpoints/{name}?force=true", status=204))
        left = self.good("GET", path)
        self.assertEqual((left["mode"], left["endpoints"]), ("reject", []))
        self.assertEqual(self.good("PATCH", path, {"mode": "hold"})["mode"], "hold")
        self.good("DELETE", path, status=204)
        self.assertNotIn(record["address"], [row["address"] for row in self.good("GET", f"{self.server}/routes")["routes"]])

    def test_what_is_read_only(self):
        domain = self.domain()
        shown = self.good("GET", f"{self.server}/domains/{domain}")
        self.assertEqual((shown["name"], shown["server"]), (domain, "main"))
        self.assertEqual(self.good("GET", self.server)["permalink"], "main")
        self.assertEqual(self.good("GET", f"{ROOT}/{self.organization}", client=self.all)["permalink"], self.organization)
        for path in (ROOT, f"{ROOT}/{self.organization}", self.server, f"{self.server}/domains", f"{self.server}/domains/{domain}"):
            for method in ("POST", "PATCH", "DELETE", "PUT", "OPTIONS"):
                fields, _ = self.refused(405, "method_not_allowed", method, path, {} if method[0] == "P" else None, self.all)
                self.assertEqual(fields["Allow"], "GET, HEAD")

    def test_head(self):
        for path, wanted in ((f"{self.server}/routes", 200), (f"{self.server}/routes/no@no.test", 404)):
            status, _, answer = self.ask("HEAD", path)
            self.assertEqual((status, answer), (wanted, None))

    def test_pages(self):
        names = sorted(f"p{number:04d}" for number in range(120))
        _, server, client = new_server(self.sandbox)
        for name in names:
            self.endpoint(client, server, name=name)
        for limit, pages in ((None, 3), (1, 120), (60, 2), (119, 2), (120, 1), (1000, 1)):
            seen, after, count = [], None, 0
            while count == 0 or after:
                query = {key: value for key, value in (("limit", limit), ("after", after)) if value}
                answer = self.good("GET", f"{server}/endpoints?{urllib.parse.urlencode(query)}", client=client)
                seen += [row["name"] for row in answer["endpoints"]]
                self.assertEqual(set(answer), {"endpoints", "next"})
                after, count = answer["next"], count + 1
            self.assertEqual((seen, count), (names, pages), limit)
        self.assertEqual(self.good("GET", f"{server}/endpoints?after=zzz", client=client), {"endpoints": [], "next": None})
        first = self.good("GET", f"{server}/endpoints?after=p0009x&limit=1", client=client)
        self.assertEqual(first["endpoints"][0]["name"], "p0010")


class Errors(Case):
    def test_without_token(self):
        for client in (Manager(None), Manager("")):
            for path in (ROOT, self.server, f"{self.server}/routes/a@b.test"):
                fields, _ = self.refused(401, "unauthenticated", "GET", path, client=client)
                self.assertEqual(fields["WWW-Authenticate"], "Bearer")
        key = self.sandbox.api_key
        for value in ("Basic eDp5", f"bearer{self.all.token}", f"Token {self.all.token}", f"Bearer {self.all.token} x", "Bearer " + "x" * 200):
            self.refused(401, "unauthenticated", "GET", ROOT, client=Manager(None), headers={"Authorization": value})
        self.refused(401, "unauthenticated", "GET", ROOT, client=Manager(None), headers={"X-Server-API-Key": key})
        self.good("GET", f"{self.server}/routes")

    def test_wrong_token(self):
        token = self.all.token
        for wrong in (token[:-1], token.swapcase(), self.sandbox.api_key, "' OR 1=1 --"[:8].replace(" ", "")):
            fields, _ = self.refused(401, "unauthenticated", "GET", ROOT, client=Manager(wrong))
            self.assertEqual(fields["WWW-Authenticate"], "Bearer")

    def test_many_wrong_tokens_wait(self):
        answers = []

        def ask():
            answers.append(Manager("wrong").ask("GET", ROOT))

        threads = [threading.Thread(target=ask) for _ in range(12)]
        for thread in threads:
            thread.start()
        self.good("GET", ROOT, client=self.all)  # not by somebody else's failures
        for thread in threads:
            thread.join()
        self.assertEqual({answer[0] for answer in answers}, {401, 429})
        for status, fields, answer in answers:
            if status == 429:
                self.assertEqual(answer["error"]["code"], "throttled")
                self.assertTrue(int(fields["Retry-After"]) > 0)

    def test_token_ends_at_once(self):
        for command in (("change", "--disable"), ("delete",)):
            name, client = new_token(self.sandbox, "--owner", self.organization)
            self.good("GET", f"{ROOT}/{self.organization}", client=client)
            self.sandbox.outrider("token", command[0], name, *command[1:])
            self.refused(401, "unauthenticated", "GET", f"{ROOT}/{self.organization}", client=client)

    def test_expired_token(self):
        name, client = new_token(self.sandbox, "--expires", "2999-01-01")
        self.good("GET", ROOT, client=client)
        self.sandbox.sql(f"UPDATE api_token SET expires_at = UNIX_TIMESTAMP() WHERE name = '{name}'")
        self.refused(401, "unauthenticated", "GET", ROOT, client=client)

    def test_token_is_shown_once(self):
        name, client = new_token(self.sandbox)
        self.good("GET", ROOT, client=client)
        shown = self.sandbox.outrider("token", "show", name)
        self.assertNotIn("token", shown)
        self.assertAlmostEqual(shown["last_used_at"], time.time(), delta=60)
        self.assertNotIn(client.token, self.sandbox.outrider_plain("token", "list").stdout)

        def log():
            return "".join(path.read_text(errors="replace") for path in pathlib.Path(self.sandbox.directory, "log").glob("*.log"))

        wait_for(lambda: f"token/{name}" in log(), "the line of its request")
        self.assertNotIn(client.token, log())

    def test_suspended(self):
        organization, server, client = new_server(self.sandbox)
        whole = new_token(self.sandbox, "--owner", organization)[1]
        for what, clients in ((f"{organization}/main", [client]), (organization, [client, whole])):
            word = "server" if "/" in what else "organization"
            self.sandbox.outrider(word, "change", what, "--suspend", "unpaid")
            for each in clients:
                self.good("GET", f"{server}/routes", client=each)
                for method, path, body in (("POST", "endpoints", {"name": "x", "url": "https://x.example/"}),
                                           ("PATCH", "endpoints/x", {"timeout": 6}), ("DELETE", "endpoints/x", None)):
                    self.refused(403, "suspended", method, f"{server}/{path}", body, each)
            self.sandbox.outrider(word, "change", what, "--resume")
        self.endpoint(client, server)

    def test_rights_end_amid_a_request(self):
        """A change that waits while its token is ended, or its server suspended, is not done."""
        for ends, status, code in (("UPDATE api_token SET disabled_at = 1 WHERE name = '{name}'", 401, "unauthenticated"),
                                   ("UPDATE server s JOIN organization o ON o.id = s.organization_id SET s.suspended_at = 1 "
                                    "WHERE o.permalink = '{organization}'", 403, "suspended")):
            organization, server, other = new_server(self.sandbox)
            name, client = new_token(self.sandbox, "--owner", f"{organization}/main")
            path = self.endpoint(client, server)
            statement = ends.format(name=name, organization=organization)
            held = threading.Thread(target=self.sandbox.sql, args=(
                f"START TRANSACTION; SELECT revision FROM revision_counter FOR UPDATE; {statement}; SELECT SLEEP(4); COMMIT",))
            held.start()
            wait_for(lambda: ["User sleep"] in self.sandbox.sql(PROCESSES), "the counter is held")
            answers = {}

            def ask(method, path, body, client=client, answers=answers):
                got, _, answer = self.ask(method, path, body, client)
                answers[method] = got, answer["error"]["code"] if answer and "error" in answer else None

            asked = [("PATCH", path, {"timeout": 9}), ("DELETE", path, None),
                     ("POST", f"{server}/endpoints", {"name": "late", "url": "https://x.example/"})]
            threads = [threading.Thread(target=ask, args=each) for each in asked]
            for thread in threads:
                thread.start()
            for thread in [*threads, held]:
                thread.join()
            self.assertEqual(answers, {method: (status, code) for method, _, _ in asked})
            left = self.good("GET", f"{server}/endpoints", client=other)["endpoints"]
            self.assertEqual([row["timeout"] for row in left], [5])

    def test_paths(self):
        for path in ("/api/v2", "/api/v2/", "/api/v2/organization", ROOT + "/", ROOT + "//", f"{self.server}/", f"{self.server}/nothing",
                     f"{self.server}/routes/", f"{self.server}/routes/a/b", f"{ROOT}/..%2f..", f"{self.server}/routes/..", f"{self.server}/routes/%ff",
                     f"{self.server}/routes/%00", f"{self.server}/routes/%", f"{self.server}/routes/none", f"{self.server}/endpoints/none",
                     f"{self.server}/routes/" + "x" * 2000, f"{self.server}/endpoints/" + "%C3%BC" * 600, "/api/v2/openapi.jsonx"):
            for client in (self.one, self.all):
                self.refused(404, "not_found", "GET", path, client=client)

    def test_bodies(self):
        endpoints, routes = f"{self.server}/endpoints", f"{self.server}/routes"
        name = f"e{uuid.uuid4().hex[:8]}"
        for body, field in ((b"", None), (b"{", None), (b"[]", None), (b"null", None), (b'{"name":"a","name":"b"}', None),
                            (b'{"name":"a\\u0000b","url":"https://x.example/"}', None), (b'{"name\\u0000x":"a"}', None), (b'{"' + b"x" * 50000 + b'":1}', None), (b'{"name":"\xff"}', None), (b"\0", None),
                            (b'{"name":' + b"[" * 40 + b"]" * 40 + b"}", None), ({}, "name"), ({"name": name}, None), ({"name": ""}, "name"),
                            ({"name": name, "url": "ftp://x/"}, "url"), ({"name": name, "url": 7}, "url"), ({"name": name, "url": "https://x.example/", "timeout": 99}, "timeout"),
                            ({"name": name, "url": "https://x.example/", "timeout": "7"}, "timeout"), ({"name": name, "url": "https://x.example/", "attachments": "no"}, "attachments"),
                            ({"name": name, "url": "https://x.example/", "colour": "red"}, "colour"), ({"name": name, "url": "https://x.example/", "kind": "http"}, "kind"),
                            ({"name": name, "url": "https://x.example/", "tls": "may"}, "tls"), ({"name": name, "url": "https://x.example/", "smtp": "mx.example.com"}, None),
                            ({"name": "n" * 256, "url": "https://x.example/"}, "name"), ({"name": "a,b", "url": "https://x.example/"}, "name")):
            self.refused(400, "invalid", "POST", endpoints, body, field=field, headers={"Content-Type": "application/json"})
        for body, field in (({"address": "a@nowhere.test", "mode": "hold"}, "address"), ({"address": f"a@{self.domain()}"}, "mode"),
                            ({"address": "no address", "mode": "hold"}, "address"), ({"address": f"a@{self.domain()}", "endpoints": ["none such"]}, "endpoints"),
                            ({"address": f"a@{self.domain()}", "endpoints": []}, "endpoints"), ({"address": f"a@{self.domain()}", "endpoints": "x"}, "endpoints"),
                            ({"address": f"a@{self.domain()}", "mode": "lose"}, "mode"), ({"name": "a", "domain": "x.test"}, "name")):
            self.refused(400, "invalid", "POST", routes, body, field=field)
        path = self.endpoint()
        self.refused(400, "invalid", "PATCH", path, {})
        unverified = f"u{uuid.uuid4().hex[:8]}.test"
        self.sandbox.outrider("domain", "add", f"{self.organization}/main", unverified, "--unverified")
        self.refused(409, "refused", "POST", routes, {"address": f"a@{unverified}", "mode": "hold"}, field="address")
        self.refused(400, "invalid", "PATCH", path, {"smtp": "mx.example.com"}, field="smtp")
        self.assertNotIn(name, [record["name"] for record in self.good("GET", f"{endpoints}?limit=1000")["endpoints"]])
        self.refused(404, "not_found", "GET", f"{endpoints}/{name}")

    def test_exists(self):
        path = self.endpoint()
        name = self.good("GET", path)["name"]
        self.refused(409, "exists", "POST", f"{self.server}/endpoints", {"name": name, "url": "https://x.example/"})
        other = self.endpoint()
        self.refused(409, "exists", "PATCH", other, {"name": name})
        address = f"a@{self.domain()}"
        self.good("POST", f"{self.server}/routes", {"address": address, "mode": "hold"}, 201)
        self.refused(409, "exists", "POST", f"{self.server}/routes", {"address": address, "mode": "accept"})

    def test_media_type_and_size(self):
        path, body = f"{self.server}/endpoints", b'{"name":"typed","url":"https://x.example/"}'
        for kind in (None, "", "text/plain", "application/jsonx", "application/x-www-form-urlencoded", "application"):
            self.refused(415, "media_type", "POST", path, body, headers={"Content-Type": kind})
        self.good("POST", path, body, 201)
        for kind in ("application/json; charset=utf-8", "APPLICATION/JSON"):
            self.refused(409, "exists", "POST", path, body, headers={"Content-Type": kind})
        large = b'{"name":"' + b"x" * 70000 + b'"}'
        self.refused(413, "too_large", "POST", path, large)
        self.refused(413, "too_large", "POST", path, iter([large[:40000], large[40000:]]))
        self.refused(401, "unauthenticated", "POST", path, large, Manager(None))

    def test_queries(self):
        routes = f"{self.server}/routes"
        for query in ("limit=0", "limit=1001", "limit=x", "limit=1&limit=2", "after=", "after=a%00", "after=%ff", "after=no+address", "offset=1",
                      "force=true", "limit", "after=" + "x" * 2000):
            self.refused(400, "invalid", "GET", f"{routes}?{query}")
        self.refused(400, "invalid", "GET", f"{ROOT}?after=ACME", client=self.all)
        for query in ("force=yes", "force", "Force=true", "force=true&force=true"):
            self.refused(400, "invalid", "DELETE", f"{self.endpoint()}?{query}")

    def test_garbage_in_the_head(self):
        for head in (b"GET /api/v2/organizations HTTP/1.1\r\nAuthorization: Bearer \xff\xfe\r\n",
                     b"GET /api/v2/organizations/%c0%ae HTTP/1.1\r\nAuthorization: Bearer x\r\n",
                     b"GET /api/v2/\xff HTTP/1.1\r\n", b"PATCH /api/v2/organizations HTTP/1.1\r\nContent-Length: 0\r\n"):
            with socket.create_connection(("127.0.0.1", PORT), 30) as link:
                link.sendall(head + b"Host: a\r\nConnection: close\r\n\r\n")
                answer = link.makefile("rb").read()
            self.assertRegex(answer[:13], rb"HTTP/1.1 40[0145]|^$")
        self.good("GET", ROOT, client=self.all)


class Tenants(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.whole = new_token(cls.sandbox, "--owner", cls.organization)[1]
        cls.other, cls.others_server, cls.others = new_server(cls.sandbox)
        cls.sandbox.outrider("server", "add", f"{cls.organization}/second")
        cls.second = f"{ROOT}/{cls.organization}/servers/second"

    def test_what_each_sees(self):
        def names(path, client):
            return [row["permalink"] for row in self.good("GET", path, client=client)[path.rsplit("/", 1)[1]]]

        servers = f"{ROOT}/{self.organization}/servers"
        self.assertTrue({"acme", self.organization, self.other} <= set(names(ROOT, self.all)))
        self.assertEqual(names(ROOT, self.whole), [self.organization])
        self.assertEqual(names(servers, self.whole), ["main", "second"])
        self.assertEqual(names(servers, self.one), ["main"])
        self.refused(404, "not_found", "GET", ROOT)
        self.refused(404, "not_found", "GET", f"{ROOT}/{self.organization}")
        self.refused(404, "not_found", "GET", f"{ROOT}/{self.organization}/domains")
        self.assertEqual(self.good("GET", f"{ROOT}/{self.organization}/domains", client=self.whole), {"domains": [], "next": None})

    def test_others_are_not_there(self):
        """What is another's is answered as what does not exist, word for word."""
        there = self.endpoint(self.others, self.others_server)
        name = self.good("GET", there, client=self.others)["name"]
        in_second = self.good("GET", self.endpoint(self.whole, self.second), client=self.whole)["name"]
        record = self.good("GET", there, client=self.others)
        nothing = (404, {"error": {"code": "not_found", "field": None, "message": "There is no such object."}})
        body = {"name": "mine", "url": "https://x.example/"}
        paths = [(there, self.one), (there, self.whole), (f"{self.second}/endpoints/{in_second}", self.one), (f"{self.server}/endpoints/{name}", self.one),
                 (f"{self.server}/endpoints/{record['id']}", self.one), (self.others_server, self.one), (self.others_server, self.whole),
                 (f"{ROOT}/{self.other}", self.whole), (f"{ROOT}/none-such", self.whole), (f"{ROOT}/{self.organization}/servers/none-such", self.one),
                 (f"{ROOT}/{record['organization_id']}/servers/{record['server_id']}/endpoints/{name}", self.one),
                 (there.replace(self.other, f"{self.organization}%2F..%2F{self.other}"), self.one),
                 (there.replace(self.other, f"{self.organization}/../{self.other}"), self.one),
                 (there.replace(f"{self.other}/servers/main", f"{self.other}%2Fservers%2Fmain"), self.one),
                 (there.replace(self.other, self.organization.upper()), self.one), (there.replace(self.other, self.other.upper()), self.one),
                 (f"{self.server}%2F..%2F..%2F..%2F{self.other}%2Fservers%2Fmain/endpoints/{name}", self.one),
                 (f"{self.server}/endpoints/..%2F..%2F..%2F..%2F{self.other}%2Fservers%2Fmain%2Fendpoints%2F{name}", self.one),
                 (f"{self.server}%00/endpoints/{name}", self.one), (there + "%20", self.others), (there.replace("/e", "/E"), self.others)]
        for path, client in paths:
            methods = ("GET", "PATCH", "DELETE") if "/endpoints/" in path and "/endpoints/E" not in path else ("GET",)
            for method in methods:
                status, _, answer = self.ask(method, path, {"timeout": 60} if method == "PATCH" else None, client)
                self.assertEqual((status, answer), nothing, (method, path))
        for path in (self.others_server, self.second, f"{ROOT}/{self.organization}/servers/none-such", self.server.replace("main", "MAIN"), self.server.replace(self.organization, self.organization.upper())):
            for collection in ("endpoints", "routes"):
                status, _, answer = self.ask("GET", f"{path}/{collection}")
                self.assertEqual((status, answer), nothing, path)
                status, _, answer = self.ask("POST", f"{path}/{collection}", body)
                self.assertEqual((status, answer), nothing, path)
        self.assertEqual(self.good("GET", there, client=self.others), record)
        self.assertEqual(self.good("GET", f"{self.others_server}/endpoints", client=self.others)["endpoints"], [record])

    def test_routes_keep_to_their_owner(self):
        """Neither another's endpoint nor another's domain can be named."""
        name = self.good("GET", self.endpoint(self.others, self.others_server), client=self.others)["name"]
        domain = self.domain(f"{self.other}/main")
        body = {"address": f"x@{self.domain()}", "endpoints": [name]}
        self.refused(400, "invalid", "POST", f"{self.server}/routes", body, field="endpoints")
        self.refused(400, "invalid", "POST", f"{self.server}/routes", {"address": f"x@{domain}", "mode": "hold"}, field="address")

    def test_what_only_an_administrator_may_say(self):
        cases = [{"url": url} for url in ("http://169.254.169.254/", "http://10.0.0.1/", "http://[::1]/", "http://[::ffff:192.168.1.1]/", "https://0.0.0.0/")]
        cases += [{"smtp": place} for place in ("10.0.0.1", "[::1]:25", "192.168.1.1:25", "0.0.0.0")]
        cases += [{"lmtp": place} for place in ("/var/run/mysqld/mysqld.sock", "10.0.0.1:24", "::1")]
        target = self.endpoint()
        for fields in cases:
            (field, place), = fields.items()
            for client in (self.one, self.whole):
                self.refused(403, "forbidden", "POST", f"{self.server}/endpoints", {"name": "inside", **fields}, client, field=field)
            if field == "url":
                self.refused(403, "forbidden", "PATCH", target, fields, field=field)
            record = self.good("POST", f"{self.server}/endpoints", {"name": f"a{uuid.uuid4().hex[:8]}", **fields}, 201, self.all)
            self.assertIn(record["kind"], ("http", "smtp", "lmtp"))
        self.refused(404, "not_found", "GET", f"{self.server}/endpoints/inside")
        # What the administrator allows (smtp_endpoint_allow, http_allow) a tenant may say.
        self.endpoint(url="http://127.0.0.1:8025/")
        self.good("POST", f"{self.server}/endpoints", {"name": "allowed", "smtp": "198.51.100.7"}, 201)


class Outages(Case):
    def pid(self, service):
        return int(pathlib.Path(self.sandbox.directory, "run", f"{service}.pid").read_text())

    @contextlib.contextmanager
    def frozen(self):
        pid = self.pid("mariadb")
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def test_database_frozen(self):
        api, path = Api(self.sandbox), f"{self.server}/endpoints"
        self.good("GET", path)
        with self.frozen():
            for method, body in (("GET", None), ("POST", {"name": "frozen", "url": "https://x.example/"}), ("GET", None)):
                fields, _ = self.refused(503, "unavailable", method, path, body)
                self.assertTrue(int(fields["Retry-After"]) > 0)
            recipient = fresh()
            self.assertEqual(api.ask(SEND, message(to=recipient))[1]["status"], "success")
            self.sandbox.received(recipient)
            status, _, document = self.ask("GET", "/api/v2/openapi.json", client=Manager(None))
            self.assertEqual(status, 200)
        wait_for(lambda: self.ask("GET", path)[0] == 200, "the database again")
        self.refused(404, "not_found", "GET", f"{path}/frozen")

    def test_writers_that_wait_stop_no_reader_of_messages(self):
        api, begun, ended = Api(self.sandbox), [], []

        def add():
            begun.append(1)
            self.ask("POST", f"{self.server}/endpoints", {"name": f"w{uuid.uuid4().hex[:8]}", "url": "https://x.example/"})
            ended.append(1)

        def hold():
            self.sandbox.sql("START TRANSACTION; SELECT revision FROM revision_counter FOR UPDATE; SELECT SLEEP(8); ROLLBACK")

        holder, writers = threading.Thread(target=hold), [threading.Thread(target=add) for _ in range(40)]
        holder.start()
        wait_for(lambda: ["User sleep"] in self.sandbox.sql(PROCESSES), "the counter is held")
        for thread in writers:
            thread.start()
        wait_for(lambda: len(begun) == len(writers), "all writers")

        def read():
            """(status, how many writers ended meanwhile), but for a 503 that another read may get."""
            before = len(ended)
            status = api.ask(READ, {"id": 1})[0]
            return None if status == 503 and holder.is_alive() else (status, len(ended) - before)

        status, meanwhile = wait_for(read, "an answer other than 503")
        self.assertEqual(status, 200)
        self.assertLess(meanwhile, 20, "it waited behind them")
        for thread in [holder, *writers]:
            thread.join()

    def test_database_killed_amid_requests(self):
        """Whatever was answered 201 is there."""
        path, made, answers = f"{self.server}/endpoints", [], []

        def add():
            for _ in range(30):
                name = f"k{uuid.uuid4().hex[:10]}"
                answer = self.ask("POST", path, {"name": name, "url": "https://x.example/"})
                answers.append(answer[0])
                if answer[0] == 201:
                    made.append(name)

        threads = [threading.Thread(target=add) for _ in range(4)]
        for thread in threads:
            thread.start()
        self.sandbox.stop("mariadb")
        self.sandbox.start("mariadb")
        for thread in threads:
            thread.join()
        self.assertTrue(set(answers) <= {201, 503}, answers)
        wait_for(lambda: self.ask("GET", path)[0] == 200, "the database again")
        for name in made:
            self.good("GET", f"{path}/{name}")

    def test_writers_at_once(self):
        """One of those who add the same name does."""
        answers = []

        def add():
            answers.append(self.ask("POST", f"{self.server}/endpoints", {"name": "same", "url": "https://x.example/"})[0])

        threads = [threading.Thread(target=add) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(answers.count(201), 1, answers)
        self.assertTrue(set(answers) <= {201, 409, 503}, answers)


class Mail(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sandbox.control("incoming", "on")
        cls.addClassCleanup(cls.sandbox.control, "incoming", "off")

    def test_route_takes_mail(self):
        """All of it over HTTP, but the domain; and what it refuses is refused."""
        world = incoming.Incoming(self.sandbox)
        self.addCleanup(world.close)
        client = new_token(self.sandbox, "--owner", world.server)[1]
        organization, server = world.server.split("/")
        base = f"{ROOT}/{organization}/servers/{server}"
        name = f"e{uuid.uuid4().hex[:8]}"
        self.good("POST", f"{base}/endpoints", {"name": name, "address": fresh()}, 201, client)
        world.endpoints.append(name)
        target = self.good("GET", f"{base}/endpoints/{name}", client=client)["address"]
        address = f"info@{world.domain.name}"
        self.good("POST", f"{base}/routes", {"address": address, "endpoints": [name]}, 201, client)
        world.known()
        wait_for(lambda: incoming.reply(self.sandbox, address)[0] == 250, f"{address} is taken")
        incoming.deliver(self.sandbox, address)
        self.sandbox.received(target)
        self.good("PATCH", f"{base}/routes/{address}", {"mode": "reject"}, client=client)
        wait_for(lambda: incoming.reply(self.sandbox, address)[0] // 100 == 5, f"{address} is refused")
        self.good("DELETE", f"{base}/routes/{address}", status=204, client=client)


class Description(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        status, _, cls.document = Manager(None).ask("GET", "/api/v2/openapi.json")
        assert status == 200

    def test_is_what_the_program_prints(self):
        program = pathlib.Path(self.sandbox.directory, "root", "usr", "sbin", "outrider-apid")
        printed = subprocess.run([program, "--openapi"], capture_output=True, text=True, check=True).stdout
        self.assertEqual(json.loads(printed), self.document)
        fields, _ = self.refused(405, "method_not_allowed", "POST", "/api/v2/openapi.json", {})
        self.assertEqual(fields["Allow"], "GET, HEAD")

    def resolve(self, schema):
        while "$ref" in schema:
            found = self.document
            for word in schema["$ref"].split("/")[1:]:
                found = found[word]
            schema = found
        return schema

    def test_references_lead_somewhere(self):
        for reference in set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(self.document))):
            self.assertIsInstance(self.resolve({"$ref": reference}), dict)

    def check(self, value, schema, where):
        """What JSON Schema says, as far as it is used here."""
        schema = self.resolve(schema)
        kinds = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict, "null": type(None)}
        names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        self.assertIn(type(value), [kinds[name] for name in names], where)
        if isinstance(value, list):
            for item in value:
                self.check(item, schema["items"], where)
        if isinstance(value, dict):
            self.assertTrue(set(schema.get("required", [])) <= set(value), where)
            for name, inner in value.items():
                self.assertIn(name, schema["properties"], where)
                self.check(inner, schema["properties"][name], f"{where}.{name}")

    def test_each_path_answers_as_described(self):
        domain = self.domain()
        self.endpoint(name="described", timeout=9)
        self.good("POST", f"{self.server}/routes", {"address": f"d@{domain}", "endpoints": ["described"]}, 201)
        self.sandbox.outrider("domain", "add", self.organization, f"whole.{domain}")
        names = {"organizations": self.organization, "servers": "main", "endpoints": "described", "routes": f"d@{domain}",
                 "track-domains": f"track.{domain}"}
        self.sandbox.outrider("track-domain", "add", f"{self.organization}/main", f"track.{domain}", "--exclude", "a.test,.b.test", "--force")
        for path, item in self.document["paths"].items():
            filled = path.replace("{organization}", self.organization).replace("{server}", "main")
            collection = filled.replace("/{name}", "").rsplit("/", 1)[1]
            name = names.get(collection, domain if "/servers/" in filled else f"whole.{domain}")
            filled = filled.replace("{name}", name)
            _, _, answer = self.ask("GET", filled, client=self.all)
            self.check(answer, item["get"]["responses"]["200"]["content"]["application/json"]["schema"], path)
            if not path.endswith("}"):
                self.assertTrue(answer[collection], path)
            fields, _ = self.refused(405, "method_not_allowed", "PUT", filled, {}, self.all)
            told = {method.upper() for method in item if method in ("get", "post", "patch", "delete")}
            self.assertEqual(set(fields["Allow"].split(", ")) - {"HEAD"}, told, path)
            _, _, wrong = self.ask("GET", f"{filled}?nonsense=1", client=self.all)
            self.check(wrong, item["get"]["responses"]["400"] and self.document["components"]["schemas"]["Error"], path)

    def test_bodies_are_described(self):
        """Each field that a body may have is known, and none besides."""
        for name in ("EndpointAdd", "EndpointChange", "RouteAdd", "RouteChange"):
            schema = self.document["components"]["schemas"][name]
            self.assertIs(schema["additionalProperties"], False)
            for field in schema["properties"]:
                collection = "endpoints" if name.startswith("Endpoint") else "routes"
                method, path = ("POST", "") if name.endswith("Add") else ("PATCH", "/" + urllib.parse.quote("x@y.test"))
                if method == "POST":
                    _, text = self.refused(400, "invalid", method, f"{self.server}/{collection}{path}", {field: {}}, field=field)
                    self.assertNotIn("unknown", text)


class Document(Case):
    def test_examples_run(self):
        """What doc/api-v2.md shows works as it stands there."""
        text = (SOURCE / "doc" / "api-v2.md").read_text()
        script = "".join(re.findall(r"```sh\n(.*?)```", text, re.S))
        self.assertIn("--request DELETE", script)
        token = new_token(self.sandbox, "--owner", "acme/main")[1].token
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], env={**os.environ, "TOKEN": token, "API": f"http://127.0.0.1:{PORT}/api/v2"},
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([answer.get("mode") for answer in answers], [None, "endpoint", "endpoint", "hold", None, None, "endpoint"])

    def test_errors_are_those_of_the_table(self):
        text = (SOURCE / "doc" / "api-v2.md").read_text()
        table = (SOURCE / "api" / "v2_error.def").read_text()
        for status, code in re.findall(r'X\(\w+, (\d+), "(\w+)"', table):
            self.assertRegex(text, rf"\| [\d, ]*{status}[\d, ]* \|[^\n]*`{code}`")


class NotEnabled(Case):
    def test_without_an_account(self):
        config = pathlib.Path(self.sandbox.outrider_conf)
        whole = config.read_text()
        self.good("GET", f"{self.server}/routes")
        try:
            config.write_text(whole.replace("apid_manage_db_user = outrider_manage\n", ""))
            self.restart()
            for method, body in (("GET", None), ("POST", {})):
                self.refused(404, "not_enabled", method, f"{self.server}/routes", body)
            self.assertEqual(self.ask("GET", "/api/v2/openapi.json")[0], 200)
            self.assertEqual({row.split("`")[5] for row in self.sandbox.outrider("db", "grants")}, {"outrider_read"})
        finally:
            config.write_text(whole)
            self.restart()
        self.good("GET", f"{self.server}/routes")

    def test_wrong_password(self):
        """It is not told to clients, and mail goes on."""
        secret = pathlib.Path(self.sandbox.directory, "etc", "db-manage-password")
        whole = secret.read_text()
        try:
            secret.write_text("wrong\n")
            self.restart()
            _, text = self.refused(503, "unavailable", "GET", f"{self.server}/routes")
            self.assertNotIn("outrider_manage", text)
            self.assertEqual(Api(self.sandbox).ask(SEND, message())[1]["status"], "success")
        finally:
            secret.write_text(whole)
            self.restart()
        wait_for(lambda: self.ask("GET", f"{self.server}/routes")[0] == 200, "the right password")

    def restart(self):
        self.sandbox.stop("apid")
        self.sandbox.start("apid")


class Account(Case):
    def test_may_do_no_more_than_it_is_granted(self):
        secret = pathlib.Path(self.sandbox.directory, "etc", "db-manage-password").read_text().strip()

        def run(statement):
            return self.sandbox.execute("mariadb", "--no-defaults", "--socket", self.sandbox.db_socket, "-u", "outrider_manage", f"-p{secret}",
                                        self.sandbox.db_name, "-e", statement, check=False)

        self.assertEqual(run("SELECT COUNT(*) FROM route").returncode, 0)
        for statement in ("SELECT * FROM message", "SELECT * FROM credential", "SELECT * FROM credential_secret", "SELECT * FROM dkim_key",
                          "SELECT secret_file FROM smarthost", "UPDATE api_token SET organization_id = NULL", "DELETE FROM api_token",
                          "INSERT INTO api_token (name) VALUES ('x')", "UPDATE organization SET suspended_at = NULL", "UPDATE domain SET verified_at = 1",
                          "DELETE FROM server", "SELECT * FROM mysql.user", "DROP TABLE route", "UPDATE tombstone SET revision = 1"):
            result = run(statement)
            self.assertNotEqual(result.returncode, 0, statement)
            self.assertIn("denied", result.stderr, statement)
