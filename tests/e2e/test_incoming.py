# SPDX-License-Identifier: MIT
"""What becomes of mail that comes in, by each mode of a route and each kind of endpoint but HTTP."""

import pathlib
import unittest
import uuid

import mail
from domain import Domain
from incoming import Incoming, common_incoming, deliver, reply, session
from sandbox import fresh, shared, wait_for
from sender import Sender

FORGED = ("X-Outrider-MsgID: forged", "X-Outrider-Claim: forged", "X-Outrider-Lane: discard:x",
          "X-Outrider-Stage: split")


def setUpModule():
    shared().control("incoming", "on")


def tearDownModule():
    shared().control("incoming", "off")


def bounces(sandbox, sender):
    """Notifications that came to a sender."""
    return wait_for(lambda: [octets for octets, side in sandbox.inbox(sender) if side["sender"] == ""],
                    f"a notification for {sender}")


class Modes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sandbox = shared()
        cls.incoming = common_incoming()
        cls.addClassCleanup(cls.incoming.close)

    def rows(self, recipient, count, status):
        """History's messages to a recipient, once they are so many and of that status."""

        def look():
            found = self.sandbox.outrider("message", "list", "--to", recipient)
            return found if [row["status"] for row in found] == [status] * count else None

        return wait_for(look, f"{count} of {recipient} {status}",
                        tell=lambda: self.sandbox.outrider("message", "list", "--to", recipient))

    def test_accept_keeps(self):
        route = self.incoming.route("--mode", "accept")
        tagged = route.replace("@", "+tag@")
        content = deliver(self.sandbox, tagged, headers=FORGED)
        row = self.sandbox.history(tagged, "Processed")
        self.assertEqual((row["direction"], row["route"], row["endpoint"], row["mail_from"]),
                         ("incoming", route, None, "someone@ok.test"))
        self.assertEqual([attempt["status"] for attempt in row["deliveries"]], ["Processed"])
        stored = self.sandbox.outrider_plain("message", "raw", str(row["id"])).stdout
        self.assertTrue(stored.startswith("Return-Path: <someone@ok.test>"), stored)
        self.assertIn(mail.values(content, "Message-ID")[0], stored)
        for name in ("X-Outrider-Claim", "X-Outrider-Lane", "X-Outrider-Stage"):
            self.assertNotIn(name, stored)
        self.assertEqual([value[:17] for value in mail.values(stored.replace("\n", "\r\n").encode(), "X-Outrider-MsgID")],
                         [row["token"] + "-", "forged"])

    def test_hold_waits_and_is_kept(self):
        route = self.incoming.route("--mode", "hold")
        deliver(self.sandbox, route)
        row = self.sandbox.history(route, "Held")
        self.assertEqual(row["hold_rule"], "route")
        self.sandbox.outrider("hold", "release", str(row["id"]))
        self.sandbox.history(route, "Processed")

    def test_hold_cancelled(self):
        route = self.incoming.route("--mode", "hold")
        deliver(self.sandbox, route)
        row = self.sandbox.history(route, "Held")
        self.sandbox.outrider("hold", "cancel", str(row["id"]))
        self.sandbox.history(route, "HoldCancelled")

    def test_bounce_goes_back(self):
        route = self.incoming.route("--mode", "bounce")
        sender = fresh()
        deliver(self.sandbox, route, sender=sender)
        notification, = bounces(self.sandbox, sender)
        self.assertIn(b"5.2.1", notification)
        self.assertIn(route.encode(), notification)
        self.sandbox.history(route, "HardFail")

    def test_bounce_of_the_null_sender_goes_nowhere(self):
        route = self.incoming.route("--mode", "bounce")
        deliver(self.sandbox, route, sender="")
        self.sandbox.history(route, "HardFail")

    def test_wildcard_is_behind_names(self):
        other = Incoming(self.sandbox)
        other.route("--mode", "accept", name="info")
        other.route("--mode", "hold", name="*")
        deliver(self.sandbox, [f"info@{other.domain.name}", f"any.thing@{other.domain.name}"])
        self.sandbox.history(f"info@{other.domain.name}", "Processed")
        self.sandbox.history(f"any.thing@{other.domain.name}", "Held")

    def test_development_holds(self):
        other = Incoming(self.sandbox)
        other.domain.sender.change("--mode", "development")
        route = other.route("--mode", "accept")

        def held():
            deliver(self.sandbox, route)
            rows = self.sandbox.outrider("message", "list", "--to", route)
            return [row for row in rows if row["status"] == "Held"]

        wait_for(held, "mail is held")

    def test_reject_after_acceptance_goes_back(self):
        """Mail that waited while its route was closed."""
        route = self.incoming.route("--mode", "accept")
        sender = fresh()
        self.sandbox.stop("milter")
        try:
            deliver(self.sandbox, route, sender=sender)
            self.incoming.change(route, "--mode", "reject")
            wait_for(lambda: reply(self.sandbox, route)[0] == 550, f"{route} is refused")
        finally:
            self.sandbox.start("milter")
        self.sandbox.execute("postqueue", "-f")
        notification, = bounces(self.sandbox, sender)
        self.assertIn(b"5.1.1", notification)

    def test_our_own_mail_to_a_route(self):
        """What a credential sends to a route leaves, and comes in."""
        route = self.incoming.route("--mode", "accept")
        mail.send(self.sandbox, route)

        def look():
            rows = self.sandbox.outrider("message", "list", "--to", route)
            return {row["status"] for row in rows} == {"Sent", "Processed"} and rows

        rows = wait_for(look, "both messages", tell=lambda: self.sandbox.outrider(
            "message", "list", "--to", route))
        self.assertEqual(sorted(self.sandbox.outrider("message", "show", str(row["id"]))["direction"]
                                for row in rows), ["incoming", "outgoing"])

    def test_null_sender(self):
        route = self.incoming.route("--mode", "accept")
        deliver(self.sandbox, route, sender="")
        self.sandbox.history(route, "Processed")

    def test_a_server_that_is_suspended_meanwhile(self):
        other = Incoming(self.sandbox)
        route = other.route("--mode", "accept")
        self.sandbox.stop("milter")
        try:
            deliver(self.sandbox, route)
            other.domain.sender.change("--suspend", "test")
            wait_for(lambda: reply(self.sandbox, route)[0] == 451, f"{route} is put off")
        finally:
            self.sandbox.start("milter")
        self.sandbox.execute("postqueue", "-f")
        self.assertEqual(self.sandbox.history(route, "Held")["hold_rule"], "suspended")


class Endpoints(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sandbox = shared()
        cls.incoming = common_incoming()
        cls.addClassCleanup(cls.incoming.close)

    rows = Modes.rows

    def forwarding(self, target):
        return self.incoming.route("--mode", "endpoint", "--endpoint",
                                   self.incoming.endpoint("--address", target))

    def test_address_gets_it_untouched(self):
        target = fresh()
        route = self.forwarding(target)
        content = deliver(self.sandbox, route)
        octets, side = self.sandbox.received(target)
        self.assertEqual(mail.without_added(octets), content)
        self.assertRegex(side["sender"], r"^[a-z2-7]{31}-[0-9]+@rp\.outrider\.test$")
        row = self.sandbox.history(route, "Sent")
        self.assertEqual(row["return_path"], side["sender"])
        self.assertEqual(row["mail_from"], "someone@ok.test")

    def test_address_of_a_signed_message_verifies(self):
        """A signature over the whole of it holds after it was forwarded."""
        recipient = fresh()
        mail.send(self.sandbox, recipient)
        octets, _ = self.sandbox.received(recipient)
        target = fresh()
        deliver(self.sandbox, self.forwarding(target), content=octets)
        forwarded, _ = self.sandbox.received(target)
        self.assertEqual(mail.verify_all(self.sandbox, forwarded), 2)

    def test_address_refused_at_once_comes_home(self):
        sender = fresh()
        route = self.forwarding(fresh("refuse.test"))
        deliver(self.sandbox, route, sender=sender)
        notification, = bounces(self.sandbox, sender)
        self.assertIn(b"5.1.1", notification)
        self.sandbox.history(route, "HardFail")
        deliver(self.sandbox, route)  # two refusals would suppress a recipient of ours
        wait_for(lambda: len(self.sandbox.outrider("message", "list", "--to", route, "--status", "HardFail")) == 2,
                 "the second refusal")
        self.assertEqual(self.sandbox.outrider("suppression", "list", self.incoming.server), [])

    def test_address_bounced_later_comes_home(self):
        sender = fresh()
        route = self.forwarding(fresh("latebounce.test"))
        deliver(self.sandbox, route, sender=sender)
        notification, = bounces(self.sandbox, sender)
        self.assertIn(b"Action: failed", notification)
        row = self.sandbox.history(route, "Bounced")
        self.assertIn("550", row["status_reason"])
        _, side = self.sandbox.received(sender)
        self.assertRegex(side["helo"], r"^out1[123]\.outrider\.test$", "it leaves by the pool of the server's mail")

    def test_address_of_the_null_sender(self):
        target = fresh()
        route = self.forwarding(target)
        deliver(self.sandbox, route, sender="")
        _, side = self.sandbox.received(target)
        self.assertEqual(side["sender"], "")
        self.sandbox.history(route, "Sent")

    def test_addresses_that_lead_to_each_other(self):
        names = [f"l{uuid.uuid4().hex[:8]}@{self.incoming.domain.name}" for _ in range(2)]
        sender = fresh()
        for here, there in (names, reversed(names)):
            self.incoming.route("--mode", "endpoint", "--endpoint",
                                self.incoming.endpoint("--address", there), name=here.split("@")[0])
        deliver(self.sandbox, names[0], sender=sender)
        notification, = bounces(self.sandbox, sender)
        self.assertRegex(notification, rb"5\.4\.[06]")
        passes = self.sandbox.outrider("message", "list", "--to", names[0], "--limit", "1000")
        self.assertLess(len(passes), 60)
        wait_for(lambda: not [entry for entry in self.sandbox.queue()
                              if any(name in str(entry) for name in names)], "the loop has ended")

    def test_several_endpoints_get_one_each(self):
        targets = [fresh() for _ in range(3)]
        names = ",".join(self.incoming.endpoint("--address", target) for target in targets)
        route = self.incoming.route("--mode", "endpoint", "--endpoint", names)
        content = deliver(self.sandbox, route)
        for target in targets:
            octets, _ = self.sandbox.received(target)
            self.assertEqual(mail.without_added(octets), content)
            self.assertNotIn(b"endpoint.outrider.invalid", octets)
        rows = self.rows(route, 3, "Sent")
        self.assertEqual(len({row["id"] for row in rows}), 3)

    def test_smtp_endpoint_gets_the_recipient(self):
        """Another mail host, by its name, with the recipient as it was."""
        endpoint = self.incoming.endpoint("--smtp", "mx.ok.test:25", "--tls", "may")
        route = self.incoming.route("--mode", "endpoint", "--endpoint", endpoint)
        tagged = route.replace("@", "+tag@")
        content = deliver(self.sandbox, tagged)
        row = self.sandbox.history(tagged, "Sent")
        octets, side = self.sandbox.received(tagged)
        self.assertEqual(mail.without_added(octets), content)
        self.assertEqual(side["sender"], row["return_path"])

    def test_five_routes_of_three_servers_and_a_mailbox(self):
        others = [Incoming(self.sandbox) for _ in range(2)]
        routes = [self.incoming.route("--mode", "accept") for _ in range(2)]
        routes += [other.route("--mode", "accept") for other in others]
        routes += [others[0].route("--mode", "hold")]
        content = deliver(self.sandbox, routes + ["desk@office.test"])
        for route in routes[:-1]:
            row = self.sandbox.history(route, "Processed")
            self.assertEqual(row["route"], route)
        self.sandbox.history(routes[-1], "Held")
        wait_for(lambda: content.split(b"\r\n\r\n")[0].split(b"Message-ID: ")[1].split(b"\r\n")[0] in
                 self.sandbox.execute("sh", "-c", f"cat {self.sandbox.mail_dir}/desk/new/*", check=False)
                 .stdout.encode(), "the mailbox has it")
        self.assertNotIn("X-Outrider", self.sandbox.execute(
            "sh", "-c", f"grep -l '{routes[0]}' {self.sandbox.mail_dir}/desk/new/* | xargs cat").stdout)


    def test_capitals_are_taken_away_too(self):
        """Postfix knows a recipient by its very letters: each endpoint gets one, and nothing goes in circles."""
        targets = [fresh() for _ in range(2)]
        names = ",".join(self.incoming.endpoint("--address", target) for target in targets)
        several = self.incoming.route("--mode", "endpoint", "--endpoint", names)
        single_target = fresh()
        single = self.forwarding(single_target)
        record = self.sandbox.outrider("route", "show", self.incoming.server, single)
        forward_address = record["forward_address"]
        deliver(self.sandbox, several.upper())
        for address in (single.upper(), forward_address.upper()):
            deliver(self.sandbox, address)
        wait_for(lambda: len(self.sandbox.inbox(single_target)) >= 2, "both for one address")
        for target in targets:
            self.sandbox.received(target)
        wait_for(lambda: not [entry for entry in self.sandbox.queue() if several.lower() in str(entry).lower()],
                 "an empty queue")
        self.assertEqual([len(self.sandbox.inbox(target)) for target in targets + [single_target]], [1, 1, 2])

    def test_failure_between_two_servers_of_ours(self):
        """What one sends to the other's route, and comes back, is Bounced for the first."""
        route = Incoming(self.sandbox).route("--mode", "bounce")
        sender = Sender(self.sandbox, f"acme/s{uuid.uuid4().hex[:8]}")
        sender.submit(route)

        def look():
            rows = self.sandbox.outrider("message", "list", "--to", route)
            return {row["status"] for row in rows} == {"Bounced", "HardFail"} and rows

        wait_for(look, "both ends", tell=lambda: self.sandbox.outrider("message", "list", "--to", route))


class Returns(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sandbox = shared()
        cls.sender = Sender(cls.sandbox, f"acme/b{uuid.uuid4().hex[:8]}")

    def test_bounce_from_outside(self):
        recipient = fresh("latebounce.test")
        self.sender.submit(recipient)
        row = self.sandbox.history(recipient, "Bounced")
        self.assertRegex(row["status_reason"], "^bounced: 5")

    def test_refusal_is_not_told_twice(self):
        """Postfix's own notification of what its log has told is dropped."""
        recipient = fresh("refuse.test")
        self.sender.submit(recipient)
        row = self.sandbox.history(recipient, "HardFail")
        wait_for(lambda: not [entry for entry in self.sandbox.queue()
                              if row["return_path"] in str(entry)], "nothing waits for its return path")
        self.assertEqual(self.sandbox.history(recipient)["status"], "HardFail")

    def test_forged_return_path_is_refused(self):
        recipient = fresh()
        self.sender.submit(recipient)
        path = self.sandbox.history(recipient, "Sent")["return_path"]
        forged = ("a" if path[10] != "a" else "b").join((path[:10], path[11:]))
        self.assertEqual(reply(self.sandbox, path, sender="")[0], 250)
        self.assertEqual(reply(self.sandbox, forged, sender="")[0], 550)

    def test_bounce_to_the_domains_own_host(self):
        """psrp. below the sending domain, while its CNAME leads here."""
        domain = Domain(self.sandbox, alone=True)
        host = f"psrp.{domain.name}"
        domain.publish()
        domain.checked()
        table = pathlib.Path(self.sandbox.postfix_conf, "outrider", "transports.regexp")
        wait_for(lambda: host.replace(".", r"\.") in table.read_text(), f"{host} in {table}")
        self.sandbox.execute("postfix", "reload")  # where systemd is, a path unit does
        wait_for(lambda: domain.accepted()[1]["sender"].endswith(f"@{host}"), f"return paths at {host}")
        recipient = domain.submit(recipient=fresh("latebounce.test"))
        row = self.sandbox.history(recipient, "Bounced")
        self.assertRegex(row["status_reason"], "^bounced: 5")
        path = row["return_path"]
        self.assertTrue(path.endswith(f"@{host}"), path)
        forged = ("a" if path[10] != "a" else "b").join((path[:10], path[11:]))
        for address, code in ((path, 250), (path.upper(), 250), (forged, 550), (f"bounce@{host}", 550),
                              (f"{path.split('@')[0]}9@{host}", 550), (path.replace(host, "psrp.stranger.test"), 454)):
            with self.subTest(address):
                self.assertEqual(reply(self.sandbox, address, sender="")[0], code)

    def test_a_forwarded_messages_return_path_is_no_relay(self):
        """One notification goes on, and nothing else."""
        incoming = Incoming(self.sandbox)
        target, sender = fresh(), fresh()
        route = incoming.route("--mode", "endpoint", "--endpoint", incoming.endpoint("--address", target))
        deliver(self.sandbox, route, sender=sender)
        path = self.sandbox.received(target)[1]["sender"]
        report = (b"From: x@else.test\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; "
                  b"report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nGone.\r\n--b\r\nContent-Type: "
                  b"message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
                  b"--b--\r\n")
        deliver(self.sandbox, path, content=report, sender="spam@else.test")
        deliver(self.sandbox, path, content=mail.message(path), sender="")
        for _ in range(3):
            deliver(self.sandbox, path.upper(), content=report, sender="")
        self.assertEqual(len(bounces(self.sandbox, sender)), 1)
        wait_for(lambda: not [entry for entry in self.sandbox.queue() if path in str(entry).lower()], "an empty queue")
        self.assertEqual(len(self.sandbox.inbox(sender)), 1)

    def test_what_is_no_notification_changes_nothing(self):
        recipient = fresh()
        self.sender.submit(recipient)
        row = self.sandbox.history(recipient, "Sent")
        deliver(self.sandbox, row["return_path"], sender=recipient,
                headers=("Auto-Submitted: auto-replied",))
        wait_for(lambda: not [entry for entry in self.sandbox.queue()
                              if row["return_path"] in str(entry)], "it is gone")
        self.assertEqual(self.sandbox.history(recipient)["status"], "Sent")


class BothWays(unittest.TestCase):
    """Who may send has a route of ours and somebody else's mailbox in one transaction."""

    SOURCE = "203.0.115.7"

    @classmethod
    def setUpClass(cls):
        cls.sandbox = shared()
        cls.sandbox.execute("ip", "address", "replace", f"{cls.SOURCE}/32", "dev", "lo")
        cls.addClassCleanup(cls.sandbox.execute, "ip", "address", "del", f"{cls.SOURCE}/32", "dev", "lo")
        cls.incoming = common_incoming()
        cls.addClassCleanup(cls.incoming.close)
        cls.route = cls.incoming.route("--mode", "accept")

    def messages(self, recipient, statuses):
        """{direction: message} of a recipient, once they are of those statuses."""

        def look():
            rows = self.sandbox.outrider("message", "list", "--to", recipient)
            return sorted(row["status"] for row in rows) == statuses and rows

        rows = wait_for(look, f"{recipient} as {statuses}",
                        tell=lambda: self.sandbox.outrider("message", "list", "--to", recipient))
        shown = [self.sandbox.outrider("message", "show", str(row["id"])) for row in rows]
        return {message["direction"]: message for message in shown}

    def test_credential_by_its_address(self):
        """On the submission port both leave, and the route's comes in; on port 25 it is a stranger like any other."""
        sender, target, tagged = mail.SENDER, fresh(), self.route.replace("@", "+ip@")
        credential = self.sandbox.outrider("credential", "add", "acme/main", "both-ways", "--type", "smtp-ip", "--network",
                                           self.SOURCE)
        self.addCleanup(self.sandbox.outrider, "credential", "delete", "acme/main", "both-ways")

        def submitted():
            with mail.Client(self.sandbox, login=False, source=self.SOURCE) as client:
                return client.mail(sender)[0] == 250 and client.rcpt(target)[0] == 250

        wait_for(submitted, "the address on the mail path")
        with mail.Client(self.sandbox, login=False, source=self.SOURCE) as client:
            client.mail(sender)
            self.assertEqual(client.rcpt(f"nobody@{self.incoming.domain.name}")[0], 550)
            self.assertEqual([client.rcpt(address)[0] for address in (tagged, target)], [250, 250])
            self.assertEqual(client.data(mail.message(target))[0], 250)
        octets, _ = self.sandbox.received(target)
        self.assertEqual(mail.verify_all(self.sandbox, octets), 2)
        self.assertEqual(self.messages(target, ["Sent"])["outgoing"]["credential_id"], credential["id"])
        both = self.messages(tagged, ["Processed", "Sent"])
        self.assertEqual((both["outgoing"]["credential_id"], both["incoming"]["credential_id"]), (credential["id"], None))
        stored = self.sandbox.outrider_plain("message", "raw", str(both["incoming"]["id"])).stdout
        self.assertEqual(mail.verify_all(self.sandbox, stored.partition("\n")[2].replace("\n", "\r\n").encode()), 2)
        with session(self.sandbox, self.SOURCE) as client:
            client.mail(sender)
            self.assertEqual([client.rcpt(address)[0] for address in (tagged, target)], [250, 454])

    def test_host_that_relays_here_anyway(self):
        """From mynetworks on port 25: the mailbox's message is none of ours."""
        target, tagged = fresh(), self.route.replace("@", "+relay@")
        content = mail.message(target, sender="old@office.test")
        with session(self.sandbox, "127.0.0.1", host="127.0.0.1") as client:
            self.assertEqual(client.sendmail("old@office.test", [tagged, target], content), {})
        octets, side = self.sandbox.received(target)
        self.assertEqual((mail.without_added(octets), side["sender"]), (content, "old@office.test"))
        self.assertEqual([mail.values(octets, name) for name in ("X-Outrider-MsgID", "DKIM-Signature")], [[], []])
        self.assertEqual(self.messages(tagged, ["Processed"])["incoming"]["mail_from"], "old@office.test")
        self.assertEqual(self.sandbox.outrider("message", "list", "--to", target), [])


if __name__ == "__main__":
    unittest.main()
