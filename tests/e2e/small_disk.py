# SPDX-License-Identifier: MIT
"""A directory of the sandbox on a small file system of its own that can be filled to the octet."""

import os
import pathlib
import subprocess

FILLER = "filler"
PROGRAMS = ("policyd", "milter", "worker", "trackd", "apid")  # that have files below the spool
PAGE = 4096
CHUNK = b"\0" * 65536


class SmallDisk:
    """Puts a tmpfs with so much free space over a directory while the programs that use it are stopped, with
    what the directory holds; `close' puts what it holds then back on the large disk."""

    def __init__(self, sandbox, directory, free, programs=PROGRAMS):
        self.sandbox = sandbox
        self.directory = pathlib.Path(directory)
        self.programs = programs
        self._aside = self.directory.with_name(self.directory.name + ".aside")
        sandbox.stop(*reversed(programs))
        os.rename(self.directory, self._aside)
        os.mkdir(self.directory)
        command("mount", "-t", "tmpfs", "-o", f"size={used(self._aside) + free}", "outrider-test",
                self.directory)
        try:
            command("cp", "-a", f"{self._aside}/.", self.directory)
        except BaseException:
            self._put_back()
            raise
        sandbox.start(*programs)

    def close(self):
        self.free()
        self.sandbox.stop(*reversed(self.programs))
        command("rm", "-rf", self._aside)
        os.mkdir(self._aside)
        command("cp", "-a", f"{self.directory}/.", self._aside)
        self._put_back()

    def _put_back(self):
        command("umount", self.directory)
        os.rmdir(self.directory)
        os.rename(self._aside, self.directory)
        self.sandbox.start(*self.programs)

    def left(self):
        """Free octets."""
        disk = os.statvfs(self.directory)
        return disk.f_bavail * disk.f_frsize

    def fill(self, leave=0):
        """Takes all space but so many octets."""
        with open(self.directory / FILLER, "ab", buffering=0) as filler:
            try:
                while self.left() > leave:
                    filler.write(CHUNK[:max(1, min(len(CHUNK), self.left() - leave))])
            except OSError:
                pass  # full

    def grow(self, size):
        """Makes the file system larger."""
        command("mount", "-o", f"remount,size={size}", self.directory)

    def free(self):
        (self.directory / FILLER).unlink(missing_ok=True)


def used(directory):
    """Octets that a copy of a directory takes."""
    return sum(path.lstat().st_blocks * 512 + PAGE for path in directory.rglob("*"))


def command(*words):
    subprocess.run([str(word) for word in words], check=True, stdin=subprocess.DEVNULL, timeout=120)
