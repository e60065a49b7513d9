"""The list-watch machine: a collection, followed for as long as one likes.

`ListWatch` says what to do next and is told what came of it. It touches no socket, clock or
thread: the watch of a dynamic client and an informer's reflector both drive it, and so can an
asynchronous face. What is handed over, applied to a dict, ends in the server's state, whatever
happens to the connection on the way.

Each input returns a `Step`: events to hand over first, then one command. The driver performs it
and calls one of the inputs that answer it. After an ERROR event the next command is no `Read`:
close the stream and obey. This is all that can happen (tests/wire/test_listwatch_table.py holds
the table to what the machine does, and docs/listwatch.py draws it):

=======  ===============  ======================================================  =======
after    input            when                                                    command
=======  ===============  ======================================================  =======
nothing  start            it begins with a list                                   List
nothing  start            it begins with initial objects, or at a given version   Watch
List     on_list_page     more pages follow, or their versions differ             List
List     on_list_page     it was the last one                                     Watch
List     on_list_page     it gives the token that it was asked with               Wait
List     on_list_page     likewise, five times                                    Fail
List     on_list_failed   its token or version expired, or is too large           List
List     on_list_failed   it may pass; 410 for the newest state                   Wait
List     on_list_failed   waiting cannot heal it                                  Fail
Watch    on_watch_opened  the server answered 200                                 Read
Watch    on_watch_ended   410, or it sends no initial objects (400, 422)          List
Watch    on_watch_ended   410, and it begins with initial objects                 Watch
Watch    on_watch_ended   it may pass; 410 for the version of a new list          Wait
Watch    on_watch_ended   waiting cannot heal it; 410 for a given version         Fail
Read     on_events        no ERROR among them                                     Read
Read     on_events        ERROR: 410, or it sends no initial objects (400, 422)   List
Read     on_events        ERROR: 410, and it begins with initial objects          Watch
Read     on_events        ERROR: it may pass                                      Wait
Read     on_events        ERROR: waiting cannot heal it; 410 for a given version  Fail
Read     on_watch_ended   cut before the end of the initial objects               List
Read     on_watch_ended   closed or cut, after an event or a second               Watch
Read     on_watch_ended   within a second and without an event; no events         Wait
Read     on_watch_ended   what came was no event, at first or five times          Fail
Wait     on_waited        a list failed; five watches in a row; 404 and healing   List
Wait     on_waited        a watch failed                                          Watch
=======  ===============  ======================================================  =======

What may pass: no connection, a cut one, 408, 425, 429, 5xx, and what is no JSON, but not at first
and not five times in a row. What waiting cannot heal: 400, 401, 403, 404, 405, 422 and other 4xx,
and a certificate that is not trusted, on the first connection. With ``heal`` all of this may pass,
and all that is left to fail is what the driver did itself: cancelled, closed, a defect.

The rules are those of client-go's reflector (CG/tools/cache/reflector.go), with these choices:

* Lists ask for the newest state (resourceVersion ``""``), so that a relist never goes back in
  time; ``cached_lists`` asks as the reflector does (``"0"``, then "not older than"; ``""`` again
  once that has expired or is ahead of the server).
* A watch that ended at once, or that could not be opened, is tried again from its version, after
  a pause, and five times before a list: client-go lists at the first failure that is neither a
  refused connection nor a 429. The version tells if it has expired, and a list costs more.
* A list whose continue token expires begins anew in one piece. The token that the server
  offers instead goes on at a newer version, and a watch from either version then misses or
  repeats changes; a deletion told from such a list could be wrong.
* What a relist finds is compared with what was handed over, by name, uid and resourceVersion,
  and only differences are told. Nothing else is remembered of an object.
* ``at_once`` tells a list when it is complete and not page by page, and initial objects when
  their end mark has come; what broke off before has told nothing.

Objects are dicts or records (`dynkube.records.RawObject`), as the driver hands them in.
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
