# SPDX-License-Identifier: MIT
"""A Postfix of its own in a temporary directory, on loopback, with outrider-milter behind its
submission listener, a stand-in for policyd that takes any password, and a sink that keeps what
is delivered."""
import base64
import collections
import os
import re
import shutil
import smtplib
import socket
import socketserver
import subprocess
import tempfile
import threading
import time

import dkim

Delivered = collections.namedtuple('Delivered', 'helo mail rcpt octets')

MAIN = '''compatibility_level=3.6
queue_directory={dir}/q
data_directory={dir}/d
maillog_file={dir}/mail.log
maillog_file_prefixes={dir}
inet_interfaces=loopback-only
inet_protocols=ipv4
myhostname=mail.outrider.test
mydestination=
local_transport=error:none
alias_maps=
mynetworks=
local_header_rewrite_clients=
enable_long_queue_ids=yes
smtp_dns_support_level=disabled
default_transport=lane0:[127.0.0.1]:{sink}
sender_dependent_default_transport_maps=regexp:{dir}/c/lanes.regexp
smtpd_relay_restrictions=permit_sasl_authenticated,reject
outrider-split_destination_recipient_limit=1
minimal_backoff_time=1s
maximal_backoff_time=2s
queue_run_delay=1s
message_size_limit=60000000
mailbox_size_limit=0
'''

MASTER = '''127.0.0.1:{submission} inet n - n - - smtpd -o {{ smtpd_milters = {milter} }}
 -o smtpd_sasl_auth_enable=yes -o smtpd_sasl_type=dovecot -o smtpd_sasl_path=outrider/auth
 -o cleanup_service_name=outrider-submit -o milter_macro_daemon_name=outrider-submission
127.0.0.1:{other} inet n - n - - smtpd -o {{ smtpd_milters = {milter} }}
 -o mynetworks=127.0.0.0/8 -o smtpd_relay_restrictions=permit_mynetworks,reject
127.0.0.1:{hop} inet n - n - - smtpd -o {{ smtpd_milters = {milter} }}
 -o cleanup_service_name=outrider-hop -o milter_macro_daemon_name=outrider-hop
 -o mynetworks=127.0.0.0/8 -o smtpd_relay_restrictions=permit_mynetworks,reject
 -o message_size_limit=0 -o smtpd_authorized_xforward_hosts=127.0.0.0/8
 -o receive_override_options=no_unknown_recipient_checks,no_address_mappings
outrider-split unix - - n - 10 smtp -o smtp_line_length_limit=0
 -o disable_mime_output_conversion=yes -o smtp_helo_name=outrider-split.invalid
 -o smtp_send_xforward_command=yes -o smtp_destination_recipient_limit=1
outrider-submit unix n - n - 0 cleanup -o milter_header_checks=regexp:{dir}/c/split_checks
outrider-hop unix n - n - 0 cleanup -o milter_header_checks=regexp:{dir}/c/lane_checks
 -o message_size_limit=0 -o header_checks=regexp:{dir}/c/hide_checks
cleanup unix n - n - 0 cleanup
qmgr unix n - n 2 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
postlog unix-dgram n - n - 1 postlogd
tlsmgr unix - - n 1000? 1 tlsmgr
showq unix n - n - - showq
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
'''

MILTER = ('{ unix:outrider/milter, default_action=tempfail, connect_timeout=3s, '
          'command_timeout=6s, content_timeout=12s }')

CONFIGURATION = '''return_path_domain = rp.outrider.test
hostname = mail.outrider.test
spool_dir = {dir}/spool
edge_dir = {dir}/edge
key_dir = {dir}/keys
socket_dir = {dir}/q/outrider
socket_group = postfix
spool_min_free = 1M
message_size_max = 30M
received_max = 10
'''


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class Sink(socketserver.StreamRequestHandler):
    """Just enough SMTP to keep what Postfix delivers."""

    def handle(self):
        self.wfile.write(b'220 sink\r\n')
        helo = mail = rcpt = None
        for line in self.rfile:
            verb = line.upper()
            if verb.startswith(b'EHLO'):
                helo = line.split()[1].decode()
                self.wfile.write(b'250-sink\r\n250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n'
                                 b'250 SIZE\r\n')
                continue
            if verb.startswith(b'DATA'):
                self.wfile.write(b'354 go\r\n')
                lines = iter(self.rfile.readline, b'.\r\n')
                octets = b''.join(x[1:] if x.startswith(b'.') else x for x in lines)
                self.server.kept.append(Delivered(helo, mail, rcpt, octets))
            mail = line.strip().decode() if verb.startswith(b'MAIL') else mail
            rcpt = line.strip().decode() if verb.startswith(b'RCPT') else rcpt
            self.wfile.write(b'250 ok\r\n')


class Authenticator(socketserver.StreamRequestHandler):
    """Dovecot's auth protocol: whoever comes is who he says."""

    def handle(self):
        self.wfile.write(b'VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\n'
                         b'COOKIE\t0123456789abcdef0123456789abcdef\nDONE\n')
        for line in self.rfile:
            fields = line.decode().rstrip('\n').split('\t')
            if fields[0] == 'AUTH':
                response = [x[5:] for x in fields if x.startswith('resp=')][0]
                user = base64.b64decode(response + '==').split(b'\0')[1].decode()
                self.wfile.write(f'OK\t{fields[1]}\tuser={user}\n'.encode())


class TcpServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128


class UnixServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


class World:
    """Postfix, milter, authenticator and sink; use as a context manager."""

    def __init__(self, build):
        self.build = build
        self.dir = tempfile.mkdtemp(prefix='outrider-milter-')
        os.chmod(self.dir, 0o755)
        self.submission, self.other, self.hop = free_port(), free_port(), free_port()
        self.milter = None

    def __enter__(self):
        try:
            self._make_directories()
            self._make_keys()
            self._serve()
            self._configure()
            self.start_milter()
            subprocess.run(['postfix', '-c', self.dir + '/c', 'start'], check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *unused):
        subprocess.run(['postfix', '-c', self.dir + '/c', 'stop'], check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if self.milter and self.milter.poll() is None:
            self.milter.kill()
            self.milter.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def _make_directories(self):
        for name in ('c', 'd', 'q', 'q/pid', 'q/outrider', 'edge', 'keys', 'spool'):
            os.mkdir(f'{self.dir}/{name}')
        for name in ('d', 'q/outrider'):
            shutil.chown(f'{self.dir}/{name}', 'postfix')
        for name in ('active bounce corrupt defer deferred flush hold incoming private saved '
                     'trace').split():
            os.mkdir(f'{self.dir}/q/{name}', 0o700)
            shutil.chown(f'{self.dir}/q/{name}', 'postfix')
        for name, mode in (('maildrop', 0o730), ('public', 0o710)):
            os.mkdir(f'{self.dir}/q/{name}')
            shutil.chown(f'{self.dir}/q/{name}', 'postfix', 'postdrop')
            os.chmod(f'{self.dir}/q/{name}', mode)

    def _make_keys(self):
        for name, kind in (('rsa', 'rsa'), ('installation', 'rsa'), ('ed25519', 'ed25519')):
            subprocess.run(['openssl', 'genpkey', '-algorithm', kind, '-out',
                            f'{self.dir}/{name}.pem'], check=True, stderr=subprocess.DEVNULL)
        subprocess.run([self.build + '/tests/milters/fill_edge', self.dir], check=True)

    def public_key(self, name):
        der = subprocess.run(['openssl', 'pkey', '-in', f'{self.dir}/{name}.pem', '-pubout',
                              '-outform', 'DER'], stdout=subprocess.PIPE, check=True).stdout
        return base64.b64encode(der[-32:] if name == 'ed25519' else der)

    def verify(self, octets):
        """Which of the DKIM signatures hold."""
        records = {b'rsa1._domainkey.acme.test.': b'v=DKIM1; k=rsa; p=' + self.public_key('rsa'),
                   b'ed1._domainkey.acme.test.':
                       b'v=DKIM1; k=ed25519; p=' + self.public_key('ed25519')}
        message = dkim.DKIM(octets)
        count = sum(name.lower() == b'dkim-signature' for name, _ in message.headers)
        lookup = lambda name, timeout=5: records[name]
        return [message.verify(idx=n, dnsfunc=lookup) for n in range(count)]

    def _serve(self):
        self.sink = TcpServer(('127.0.0.1', 0), Sink)
        self.sink.kept = []
        self.authenticator = UnixServer(self.dir + '/q/outrider/auth', Authenticator)
        os.chmod(self.dir + '/q/outrider/auth', 0o666)
        for server in (self.sink, self.authenticator):
            threading.Thread(target=server.serve_forever, daemon=True).start()

    def _write(self, name, text):
        with open(f'{self.dir}/{name}', 'w', encoding='ascii') as file:
            file.write(text)

    def _configure(self):
        sink = self.sink.server_address[1]
        lanes = ''.join(f'lane{n} unix - - n - - smtp -o smtp_helo_name=lane{n}.test\n'
                        for n in range(4))
        self._write('c/main.cf', MAIN.format(dir=self.dir, sink=sink))
        self._write('c/master.cf', MASTER.format(dir=self.dir, submission=self.submission,
                                                 other=self.other, hop=self.hop,
                                                 milter=MILTER) + lanes)
        self._write('c/lanes.regexp', ''.join(
            f'/^[a-z2-7]{{31}}-{n}@rp\\.outrider\\.test$/ lane{n}:[127.0.0.1]:{sink}\n'
            for n in (1, 2, 3)))
        lane = f'/^X-Outrider-Lane: ([0-9]+)$/ FILTER lane$1:[127.0.0.1]:{sink}\n'
        self._write('c/lane_checks', lane)
        self._write('c/split_checks', lane + '/^X-Outrider-Stage: split$/ FILTER '
                                             f'outrider-split:[127.0.0.1]:{self.hop}\n')
        self._write('c/hide_checks', '/^Received: from outrider-split\\.invalid / IGNORE\n')
        self._write('outrider.conf', CONFIGURATION.format(dir=self.dir))

    def start_milter(self):
        with open(self.dir + '/milter.log', 'ab') as log:
            self.milter = subprocess.Popen([self.build + '/milters/outrider-milter', '-c',
                                            self.dir + '/outrider.conf'], stderr=log)
        for _ in range(200):
            try:
                self.milter_socket().close()
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError('outrider-milter does not listen:\n' + self.milter_log())

    def milter_socket(self):
        link = socket.socket(socket.AF_UNIX)
        try:
            link.connect(self.dir + '/q/outrider/milter')
        except OSError:
            link.close()
            raise
        return link

    def milter_log(self):
        with open(self.dir + '/milter.log', encoding='utf-8', errors='replace') as file:
            return file.read()

    def connect(self, user='acme/main/7', port=None):
        client = smtplib.SMTP('127.0.0.1', port or self.submission, timeout=30)
        client.ehlo('client.test')
        if user:
            plain = base64.b64encode(b'\0' + user.encode() + b'\0x').decode()
            client.docmd('AUTH PLAIN', plain)
        return client

    def send(self, octets, **connection):
        """The last reply's (code, text), and what the sink got or None."""
        reply, got = self.submit(octets, ('<r@ok.test>',), **connection)
        return reply, got[0] if got else None

    def submit(self, octets, recipients, mail='me@acme.test', options='', different=None, **connection):
        """The last reply's (code, text), and what the sink got within a while: one per recipient, or so
        many."""
        client = self.connect(**connection)
        before = len(self.sink.kept)
        reply = client.docmd(f'MAIL FROM:<{mail}>{options}')
        for recipient in recipients:
            if reply[0] == 250:
                reply = client.docmd(f'RCPT TO:{recipient}')
        if reply[0] == 250:
            client.docmd('DATA')
            client.send(re.sub(rb'(?m)^\.', b'..', octets) + b'.\r\n')
            reply = client.getreply()
        client.quit()
        if reply[0] != 250:
            return reply, []
        return reply, self.kept(before, different or len(recipients))

    def kept(self, before, count):
        """What the sink got since it had `before' messages, once it is so many, within a while."""
        for _ in range(1200):
            if len(self.sink.kept) >= before + count:
                break
            time.sleep(0.05)
        return self.sink.kept[before:]
