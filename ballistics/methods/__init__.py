"""What is done with a mark of each kind: prepared, compared and scored, and with which parameters.

Rooms that work with marks of any kind (pairs, library, search, evidence, studies, the command line) ask `method_of`,
and call nothing else.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
