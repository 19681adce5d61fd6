"""An origin that can do so much and no more: what else it is asked waits inside, where it is counted."""
import asyncio
import threading

SLOTS, PAGE_SECONDS = 4, 0.05


class SlotOrigin:
    """Answers so many requests at once, each in PAGE_SECONDS; the others wait inside."""

    def __init__(self, tls=None):
        self.inside = self.most_inside = self.answered = 0
        self.paths = []
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.port = self.call(self.open(tls))

    def call(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    async def open(self, tls):
        self.slots = asyncio.Semaphore(SLOTS)
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0, ssl=tls, backlog=1024)
        return self.server.sockets[0].getsockname()[1]

    def has_read_all(self):
        """Whether nothing that was sent to it, and nobody who has connected, waits in the kernel. proc_net_tcp(5)"""
        ended = 0x08  # by the other side, which counts for a byte
        with open("/proc/net/tcp", encoding="ascii") as table:
            rows = [line.split()[1:5] for line in table][1:]
        unread = sum(max(int(queues.partition(":")[2], 16) - (int(state, 16) == ended), 0)
                     for local, _, state, queues in rows if int(local.partition(":")[2], 16) == self.port)
        for _ in range(5):  # what was read is looked at in one of the next turns
            self.call(asyncio.sleep(0))
        return unread == 0

    async def serve(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                path = head.split(b" ")[1].decode()
                self.paths.append(path)
                self.inside += 1
                self.most_inside = max(self.most_inside, self.inside)
                try:
                    async with self.slots:
                        await asyncio.sleep(PAGE_SECONDS)
                finally:
                    self.inside -= 1
                body = f"made for {path}".encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
                await writer.drain()
                self.answered += 1
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


async def hold(origin):
    """The origin answers nothing until what this returns is called."""
    for _ in range(SLOTS):
        await origin.slots.acquire()

    async def release():
        for _ in range(SLOTS):
            origin.slots.release()
    return release
