# SPDX-License-Identifier: MIT
"""The mail server's side of the milter protocol (version 6), as Postfix speaks it and as it never
would."""
import socket
import struct

ACTIONS, STEPS = 0x1ff, 0x1fffff
MODIFICATIONS = b'hmibeq'
SUBMISSION = 'outrider-submission'
HOP = 'outrider-hop'
INJECT = 'outrider-inject'


class Link:
    """One connection; use as a context manager. Values in replies are octets."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(path)
        self.file = self.socket.makefile('rb')
        self.changes = []

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.file.close()
        self.socket.close()

    def send(self, command, data=b''):
        self.socket.sendall(struct.pack('>I', len(data) + 1) + command + data)

    def macros(self, command, **values):
        pairs = ((name if len(name) == 1 else '{' + name + '}', value)
                 for name, value in values.items())
        self.send(b'D', command + b''.join(f'{n}\0{v}\0'.encode() for n, v in pairs))

    def reply(self):
        """The next reply as (letter, data) beside progress and changes, which are kept; ('', b'')
        when the link is closed."""
        while True:
            size = self.file.read(4)
            if len(size) < 4:
                return '', b''
            data = self.file.read(struct.unpack('>I', size)[0])
            if data[:1] in (b'h', b'm', b'i', b'b', b'e', b'q'):
                self.changes.append((data[:1].decode(), data[1:]))
            elif data[:1] != b'p':
                return data[:1].decode(), data[1:]

    def ask(self, command, data=b''):
        self.send(command, data)
        return self.reply()

    def negotiate(self):
        return self.ask(b'O', struct.pack('>III', 6, ACTIONS, STEPS))

    def connect(self, daemon=SUBMISSION):
        self.macros(b'C', daemon_name=daemon, client_addr='192.0.2.9', client_port='4711')
        return self.ask(b'C', b'client.test\x004' + struct.pack('>H', 4711) + b'192.0.2.9\0')

    def open(self, daemon=SUBMISSION):
        self.negotiate()
        self.connect(daemon)
        self.send(b'H', b'client.test\0')
        return self

    def mail(self, user='acme/main/7', sender='<me@acme.test>'):
        self.macros(b'M', auth_authen=user, auth_type='PLAIN')
        return self.ask(b'M', sender.encode() + b'\0')[0]

    def rcpt(self, address='<r@ok.test>'):
        self.macros(b'R', rcpt_addr=address.strip('<>'))
        return self.ask(b'R', address.encode() + b'\0')[0]

    def head(self, *fields):
        for name, value in fields:
            self.send(b'L', name + b'\0' + value + b'\0')

    def body(self, octets):
        for at in range(0, len(octets), 65535):
            self.send(b'B', octets[at:at + 65535])

    def end(self, queue_id='4XyZ'):
        self.changes = []
        self.macros(b'E', i=queue_id)
        return self.ask(b'E')

    def abort(self):
        self.send(b'A')

    def changed(self, letter):
        return [data for kind, data in self.changes if kind == letter]
