"""The host agent, which alone touches a host. Standard library, Python 3.9+, relative imports.

It travels as one zip, named by its digest, and is unpacked and run by ``door.py``, which an
administrator installed. One process serves one connection: a line of JSON in, a line of JSON out.
For every changing verb it takes a lock, refuses a lower epoch than it has seen, makes the desired
state true, and answers what it observed.

HOME/ fence.json  ports.json  tools.json  agents/HEX/  pieces/HEX  artifacts/HEX/
      units/NAME.json  programs/  proxy/  jobs/  logs/
A unit is one version of one service, named ``service@version``. It runs as a program of supervisord
or as a container; the proxy (Envoy or HAProxy) reads its weights from files replaced by rename.
"""
