# SPDX-License-Identifier: MIT
"""A Dovecot of a test's own: a mail store that takes LMTP over TCP and a UNIX socket, below the sandbox's directory."""

import pathlib
import shutil
import socket
import subprocess

from sandbox import run, wait_for

OWNER = 65534  # whose the mailboxes are: nobody

CONFIGURATION = """
base_dir = {base}/run
state_dir = {base}/state
log_path = {base}/log
protocols = lmtp
ssl = no
first_valid_uid = {owner}
last_valid_uid = {owner}
last_valid_gid = {owner}
first_valid_gid = {owner}
recipient_delimiter = +
auth_username_format = %Lu
mail_location = maildir:~/mail
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = passwd-file
  args = {base}/users
}}
mail_plugins = quota
plugin {{
  quota = count:of a user
  quota_vsizes = yes
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {port}
  }}
  unix_listener lmtp {{
    mode = 0666
  }}
}}
"""


class Dovecot:
    """Started at once, and ended by close; what it keeps stays in between."""

    def __init__(self, sandbox, port=2424):
        self.port = port
        self.base = pathlib.Path(sandbox.directory, "dovecot")
        self.socket = self.base / "run" / "lmtp"
        self.process = None
        shutil.rmtree(self.base, ignore_errors=True)
        (self.base / "home").mkdir(parents=True)
        shutil.chown(self.base / "home", OWNER, OWNER)
        (self.base / "users").touch()
        (self.base / "dovecot.conf").write_text(
            CONFIGURATION.format(base=self.base, port=port, owner=OWNER), encoding="ascii")
        self.start()

    def start(self):
        self.process = subprocess.Popen(["/usr/sbin/dovecot", "-F", "-c", str(self.base / "dovecot.conf")],
                                        stdin=subprocess.DEVNULL)
        wait_for(self.answers, "Dovecot's greeting", tell=self.log)

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(60)
            self.process = None

    def close(self):
        self.stop()
        shutil.rmtree(self.base)

    def answers(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as link:
                return link.recv(4) == b"220 "
        except OSError:
            return False

    def log(self):
        return (self.base / "log").read_text(errors="replace")

    def add(self, address, extra=""):
        """A new user's mailbox; extra is more of its line, such as userdb_quota_rule=*:bytes=1."""
        home = self.base / "home" / address
        with open(self.base / "users", "a", encoding="ascii") as users:
            users.write(f"{address}::{OWNER}:{OWNER}::{home}::{extra}\n")
        # It looks at the file once a second.
        wait_for(lambda: run(["/usr/bin/doveadm", "-c", self.base / "dovecot.conf", "user", address],
                             check=False).returncode == 0, f"{address} is a user", tell=self.log)
        return home

    def kept(self, address):
        """The octets of each message in a user's mailbox, with CRLF line ends."""
        folder = self.base / "home" / address / "mail" / "new"
        return [path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for path in folder.glob("*")]
