"""See inside Keras models: kernels and feature maps in one call."""

import lazy_loader

__version__ = "0.1.0"

# The public names are listed once, in `__init__.pyi`; each is imported when it is first used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
