"""The list-watch machine: a collection, followed for as long as one likes.

`ListWatch` says what to do next and is told what came of it. It touches no socket, clock or
thread: the watch of a dynamic client and an informer's reflector both drive it, and so can an
asynchronous face. What is handed over, applied to a dict, ends in the server's state, whatever
happens to the connection on the way.

::

                 start()                          410, or five failures in a row
                    |                       +-------------------------------------+
                    v                       |                                     |
              +----------+  last page  +---------+  opened   +----------+  end, ERROR event
      +-----> |  List    | ----------> | Watch   | --------> |  Read    | ---------+
      |       +----------+             +---------+           +----------+          |
      |        |  ^  | page            |  ^   ^                |  ^  | events      | closed, cut:
      |  fails |  +--+                 |  |   |                |  +--+             | Watch at once,
      |        v                 fails |  |   +----------------(-------------------+ from the last
      |       +----------+ <-----------+  |                    |                   | resourceVersion
      +-------|  Wait    | --------------+                     |  nothing came     |
              +----------+ <-----------------------------------+  within a second -+

      Fail: 400, 401, 403, 404, 405, 422, and what waiting cannot heal either, from anywhere;
            410 as well where the caller chose the resourceVersion.

Each input returns a `Step`: events to hand over first, then one command. The driver performs it
and calls the input that belongs to it:

=========  =======================================================================
command    inputs that answer it
=========  =======================================================================
`List`     `on_list_page`, or `on_list_failed`
`Watch`    `on_watch_opened`, or `on_watch_ended` with the error
`Read`     `on_events` for what was read, or `on_watch_ended`
`Wait`     `on_waited`
`Fail`     none: raise the error
=========  =======================================================================

After an ERROR event the next command is no `Read`: close the stream and obey.

The rules are those of client-go's reflector (CG/tools/cache/reflector.go), with these choices:

* Lists ask for the newest state (resourceVersion ``""``), so that a relist never goes back in
  time; ``cached_lists`` asks as the reflector does (``"0"``, then "not older than").
* A list whose continue token expires begins anew in one piece. The token that the server
  offers instead goes on at a newer version, and a watch from either version then misses or
  repeats changes; a deletion told from such a list could be wrong.
* What a relist finds is compared with what was handed over, by name, uid and resourceVersion,
  and only differences are told. Nothing else is remembered of an object.
"""

from __future__ import annotations

from dynkube.wire.listwatch.backoff import Backoff
from dynkube.wire.listwatch.commands import Command, Fail, List, ObjectsPage, Read, Replaced, Step, Wait, Watch
from dynkube.wire.listwatch.machine import ListWatch

__all__ = [
    "Backoff",
    "Command",
    "Fail",
    "List",
    "ListWatch",
    "ObjectsPage",
    "Read",
    "Replaced",
    "Step",
    "Wait",
    "Watch",
]
