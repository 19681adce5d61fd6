"""The socket of a service manager, as sd_notify(3) has it: every word that comes is kept as it comes, for the kernel keeps few."""
import contextlib
import socket
import threading


class Manager:
    def __init__(self, path):
        self.said, self.socket = [], socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        with contextlib.suppress(OSError):
            while True:
                self.said.append(self.socket.recv(100))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
