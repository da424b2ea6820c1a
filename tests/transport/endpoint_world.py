# SPDX-License-Identifier: MIT
"""HTTP hosts of every kind on loopback, and an outrider-pipe that may ask them: its replica, key and configuration."""
import contextlib
import os
import shutil
import socket
import sqlite3
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time

ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'
TOKEN = 'AbCdEfGh12345678'
SECONDS = 60000000            # since 2025-01-01
ID = SECONDS << 22 | 5 << 8 | 1


def sealed_id(number, server=1):
    """As lib/seal/sealed_id.h has it, with a MAC of nobody's."""
    bits = f'{1:04b}{0:04b}{1:03b}{number:053b}{server:024b}' + '01' * 32 + '000'
    return ''.join(ALPHABET[int(bits[at:at + 5], 2)] for at in range(0, len(bits), 5))


MSGID = f'X-Outrider-MsgID: {TOKEN}-{sealed_id(ID)}\r\n'.encode()
RECEIVED = (b'Received: from mx.example (mx.example [192.0.2.9])\r\n\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384)\r\n'
            b'\tby host.test (Postfix) with ESMTPS id 4abc\r\n\tfor <in@acme.test>; Thu, 26 Nov 2026 08:00:00 +0000 (UTC)\r\n')
MESSAGE = MSGID + RECEIVED + b'From: Ann <ann@example.org>\r\nTo: in@acme.test\r\nSubject: hello\r\n\r\nhi there\r\n'


class Request:
    def __init__(self, path, fields, body):
        self.path, self.fields, self.body = path, fields, body

    def field(self, name):
        found = [value for key, value in self.fields if key == name.lower()]
        return found[0] if found else None


def read_head(link):
    """A request with what came of its body."""
    octets = b''
    while b'\r\n\r\n' not in octets:
        piece = link.recv(65536)
        if not piece:
            return None
        octets += piece
    head, _, body = octets.partition(b'\r\n\r\n')
    lines = head.decode('latin-1').split('\r\n')
    fields = [(line.partition(':')[0].lower(), line.partition(':')[2].strip()) for line in lines[1:]]
    return Request(lines[0].split(' ')[1], fields, body)


def read_rest(link, request):
    pieces, left = [request.body], int(request.field('content-length') or 0) - len(request.body)
    while left > 0:
        pieces.append(link.recv(1 << 20))
        if not pieces[-1]:
            return None
        left -= len(pieces[-1])
    request.body = b''.join(pieces)
    return request


class Host:
    """A host on loopback that does what the path says; tls is an SSLContext or None."""

    def __init__(self, tls=None, address='127.0.0.1', port=0):
        self.tls, self.requests, self.connections, self.done = tls, [], 0, threading.Event()
        family = socket.AF_INET6 if ':' in address else socket.AF_INET
        self.listener = socket.create_server((address, port), family=family, backlog=128)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.done.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self):
        while True:
            try:
                link, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(link,), daemon=True).start()

    def _serve(self, link):
        with contextlib.suppress(OSError, ValueError), link:
            if self.tls:
                with self.tls.wrap_socket(link, server_side=True) as sealed:
                    self._converse(sealed)
            else:
                self._converse(link)

    def _converse(self, link):
        request = read_head(link)
        if request and request.path != '/early':
            request = read_rest(link, request)
        if request:
            self.requests.append(request)
            getattr(self, '_' + request.path.strip('/').split('?')[0].replace('-', '_'), self._status)(link, request)

    @staticmethod
    def _answer(link, status, fields=(), body=b'thank you\r\nfor \x07it\xc3\xa9'):
        head = [f'HTTP/1.1 {status} Some reason', f'Content-Length: {len(body)}', *fields]
        link.sendall('\r\n'.join(head).encode() + b'\r\n\r\n' + body)

    def _status(self, link, request):
        self._answer(link, int(request.path.strip('/').split('?')[0]))

    def _204(self, link, _request):
        link.sendall(b'HTTP/1.1 204 No Content\r\n\r\n')

    def _301(self, link, _request):
        self._answer(link, 301, [f'Location: http://127.0.0.1:{self.port}/200'])

    def _429(self, link, _request):
        self._answer(link, 429, ['Retry-After: 120'])

    def _503(self, link, _request):
        self._answer(link, 503, ['Retry-After: 99999'])

    def _hang(self, _link, _request):
        self.done.wait(60)

    def _reset(self, link, _request):
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))

    def _empty(self, link, _request):
        pass

    def _early(self, link, _request):
        """Good news before the message is there."""
        self._answer(link, 200)
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))

    def _endless(self, link, _request):
        link.sendall(b'HTTP/1.1 200 Fine\r\n\r\n')
        while not self.done.is_set():
            link.sendall(b'more and ' * 5000)

    def _slow(self, link, _request):
        link.sendall(b'HTTP/1.1 200 Fine\r\nContent-Length: 1000\r\n\r\n')
        for _ in range(1000):
            link.sendall(b'x')
            if self.done.wait(0.1):
                return

    def _half(self, link, _request):
        link.sendall(b'HTTP/1.1 200 Fine\r\nContent-Length: 1000\r\n\r\nhalf')

    def _head_only(self, link, _request):
        link.sendall(b'HTTP/1.1 200 Fine\r\nContent-Le')

    def _fields(self, link, _request):
        link.sendall(b'HTTP/1.1 200 Fine\r\n')
        while not self.done.is_set():
            link.sendall(b'X-More: ' + b'x' * 1000 + b'\r\n')

    def _many_fields(self, link, _request):
        self._answer(link, 200, ['X-More: ' + 'x' * 1000] * 30)

    def _interim(self, link, _request):
        link.sendall(b'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n')
        self._answer(link, 201)

    def _interim_only(self, link, _request):
        link.sendall(b'HTTP/1.1 102 Processing\r\n\r\n')

    def _garbage(self, link, _request):
        link.sendall(b'\x00\xff SSH-2.0-x\r\n' * 100)

    def _drip(self, link, _request):
        """A header that never comes to its end, an octet at a time."""
        link.sendall(b'HTTP/1.1 200 Fine\r\nX-More: ')
        while not self.done.wait(0.1):
            link.sendall(b'x')

    def _old(self, link, _request):
        link.sendall(b'<html>HTTP/0.9</html>')

    def _chunks(self, link, _request):
        link.sendall(b'HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nthank\r\nzzz\r\n')


class World:
    """outrider-pipe with a directory of its own."""

    def __init__(self, build):
        self.build = build
        self.dir = tempfile.mkdtemp(prefix='outrider-pipe-')
        self.hosts = []
        for name in ('edge', 'keys', 'spool', 'spool/pipe', 'tls'):
            os.mkdir(f'{self.dir}/{name}')
        for name, kind in (('rsa', 'rsa'), ('installation', 'rsa'), ('ed25519', 'ed25519')):
            self.shell(f'openssl genpkey -algorithm {kind} -out {name}.pem')
        subprocess.run([build + '/tests/milters/fill_edge', self.dir], check=True)
        self.shell('cp rsa.pem keys/http-signing.pem && chmod 0640 keys/http-signing.pem && '
                   'openssl pkey -in rsa.pem -pubout -out public.pem')
        self.configure()
        self.host = self.add_host()
        self.next = 100
        self.daemon = None

    def shell(self, line):
        return subprocess.run(line, shell=True, cwd=self.dir, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout

    def configure(self, *lines, allow='127.0.0.0/8', name='outrider.conf'):
        with open(f'{self.dir}/{name}', 'w', encoding='ascii') as file:
            file.write(f'return_path_domain = rp.test\nspool_dir = {self.dir}/spool\nedge_dir = {self.dir}/edge\n'
                       f'socket_dir = {self.dir}/{name}.sockets\nsocket_group =\n'
                       f'key_dir = {self.dir}/keys\nhttp_allow = {allow}\n' + ''.join(f'{line}\n' for line in lines))

    def start_daemon(self):
        """Those of the default configuration are served by an outrider-piped from now on."""
        os.makedirs(f'{self.dir}/outrider.conf.sockets', exist_ok=True)
        with open(f'{self.dir}/daemon.log', 'ab') as log:
            self.daemon = subprocess.Popen([self.build + '/transport/outrider-piped', '-c', f'{self.dir}/outrider.conf'],
                                           stdout=log, stderr=log)
        self.wait_for(lambda: self.daemon.poll() is not None or self.has_daemon())
        if self.daemon.poll() is not None:
            raise AssertionError(self.daemon_log())

    def has_daemon(self):
        with socket.socket(socket.AF_UNIX) as link:
            return link.connect_ex(f'{self.dir}/outrider.conf.sockets/pipe') == 0

    def daemon_log(self):
        with open(f'{self.dir}/daemon.log', encoding='utf-8') as log:
            return log.read()

    def close(self):
        for host in self.hosts:
            host.close()
        if self.daemon:
            self.daemon.terminate()
            self.daemon.wait(60)
        shutil.rmtree(self.dir)

    def add_host(self, tls=None):
        self.hosts.append(Host(tls))
        return self.hosts[-1]

    def endpoint(self, path='/200', url=None, **columns):
        """The number of a new one."""
        self.next += 1
        row = {'id': self.next, 'server_id': 1, 'name': 'crm in', 'kind': 'http', 'encoding': 'json', 'format': 'hash',
               'strip_replies': 0, 'attachments': 0, 'timeout': 20, 'host': '', 'port': 0, 'tls': '', 'address': '',
               'resolved': '', 'url': url or f'http://127.0.0.1:{self.host.port}{path}', **columns}
        with contextlib.closing(sqlite3.connect(self.dir + '/edge/edge.5.db')) as edge, edge:
            edge.execute(f'INSERT INTO endpoint ({",".join(row)}) VALUES ({",".join("?" * len(row))})', list(row.values()))
        return self.next

    def command(self, target, sender='ann@example.org', recipient='in@acme.test', config='outrider.conf'):
        return [self.build + '/transport/outrider-pipe', 'http', '-c', f'{self.dir}/{config}', '--endpoint', target,
                '--sender', sender, '--recipient', recipient, '--queue-id', '4abcDEF']

    def start(self, target, **options):
        return subprocess.Popen(self.command(target, **options), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT)

    def run(self, target, octets=MESSAGE, environment=None, **options):
        """Exit status and what is printed."""
        target = f'endpoint/{target}' if isinstance(target, int) else target
        done = subprocess.run(self.command(target, **options), input=octets, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              check=False, env={**os.environ, **(environment or {})})
        return done.returncode, done.stdout.decode()

    def peak_kb(self, target, octets):
        """What it had in memory at most, delivering a message. A child of this process would begin with all that this one has."""
        helper = ('import resource, subprocess, sys; status = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL); '
                  'print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(status)')
        with tempfile.TemporaryFile() as file:
            file.write(octets)
            file.seek(0)
            command = [sys.executable, '-c', helper, *self.command(f'endpoint/{target}')]
            return int(subprocess.run(command, stdin=file, stdout=subprocess.PIPE, check=True).stdout)

    def wait_for(self, condition):
        end = time.monotonic() + 60
        while not condition():
            if time.monotonic() > end:
                raise AssertionError('it never comes to that')
            time.sleep(0.02)

    def certificate(self, name, subject='localhost', days=7, authority='ca', san='DNS:localhost'):
        """An SSLContext; the authority is made when it is not there yet."""
        if not os.path.exists(f'{self.dir}/tls/{authority}.pem'):
            self.shell(f'openssl req -x509 -newkey rsa:2048 -nodes -keyout tls/{authority}.key -out tls/{authority}.pem '
                       f'-subj /CN={authority} -days 30')
        self.shell(f'openssl req -newkey rsa:2048 -nodes -keyout tls/{name}.key -out tls/{name}.csr -subj /CN={subject} && '
                   f'echo subjectAltName={san} >tls/{name}.ext && openssl x509 -req -in tls/{name}.csr -CA tls/{authority}.pem '
                   f'-CAkey tls/{authority}.key -CAcreateserial -days {days} -extfile tls/{name}.ext -out tls/{name}.pem')
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f'{self.dir}/tls/{name}.pem', f'{self.dir}/tls/{name}.key')
        return context
