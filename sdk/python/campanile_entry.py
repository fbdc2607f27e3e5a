"""What the hub calls: the component is made of this module, and the plugin is what `app` defines."""

import app  # noqa: F401  (its subclass of Plugin is found when it is made)
from campanile_plugin.guest import Directing, Handler, Learning  # noqa: F401
