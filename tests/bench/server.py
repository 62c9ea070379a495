"""The small server that every way restarts: it answers with its version, and starts in 10 ms."""

import _socket
import os

VERSION = b"{version}"
ANSWER = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"

listening = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
listening.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEPORT, 1)
listening.bind((os.environ.get("ADDRESS", "127.0.0.1"), int(os.environ["PORT"])))
listening.listen(64)
while True:
    client = _socket.socket(fileno=listening._accept()[0])
    try:
        client.recv(65536)
        client.send(ANSWER % (len(VERSION), VERSION))
    except OSError:
        pass
    client.close()
