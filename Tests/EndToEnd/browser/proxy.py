"""A wire between browser and gateway that can be cut."""

import contextlib
import socket
import threading


class Wire:
    """Forwards 127.0.0.1:`port` to the gateway until `cut`. With `hang` connections stay open and silent, as on a train in a tunnel;
    without, they break and new ones are refused at once."""

    def __init__(self, host, port):
        self.target = (host, port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open = threading.Event()
        self.open.set()
        self.is_hanging = False
        self.lock = threading.Lock()
        self.sockets = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, hang):
        self.is_hanging = hang
        self.open.clear()
        if not hang:
            self._break()

    def mend(self):
        self._break()
        self.is_hanging = False
        self.open.set()

    def _break(self):
        with self.lock:
            broken, self.sockets = self.sockets, set()
        for one in broken:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self):
        while True:
            near, _ = self.listener.accept()
            threading.Thread(target=self._connect, args=(near,), daemon=True).start()

    def _connect(self, near):
        if not self.open.is_set() and not self.is_hanging:
            near.close()
            return
        try:
            far = socket.create_connection(self.target, timeout=5)
        except OSError:
            near.close()
            return
        far.settimeout(None)
        with self.lock:
            self.sockets |= {near, far}
        threading.Thread(target=self._pump, args=(near, far, False), daemon=True).start()
        self._pump(far, near, True)

    def _pump(self, source, sink, is_answer):
        """While the wire hangs requests still reach the gateway and answers get lost: the worst that a network does."""
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if self.open.is_set() or not is_answer:
                    sink.sendall(data)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            with self.lock:
                self.sockets.discard(one)
        if is_answer:
            source.close()
