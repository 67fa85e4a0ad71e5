"""Where objects are kept, found by looking at everything that can keep one."""

import functools
import gc
import pathlib
import types

SLOT = types.MemberDescriptorType
# They keep what is in use at the moment, or their kept objects are found in another way.
PASSED_BY = (types.FrameType, types.GeneratorType, types.CodeType, types.CoroutineType)


class Place:
    """`put` sets something else there; it is None where that cannot be done."""

    __slots__ = ("kept", "put", "holder")

    def __init__(self, kept, put, holder=None):
        self.kept = kept
        self.put = put
        self.holder = holder


class Wanted:
    """Things by their ids, and those that contain one of `texts`."""

    TEXTS = (str, pathlib.PosixPath, pathlib.PurePosixPath)

    def __init__(self, things, texts=()):
        self.ids = set(map(id, things))
        self.texts = texts
        self.shortest = min(map(len, texts), default=0)
        self.known = {}

    def __call__(self, thing):
        return id(thing) in self.ids or (type(thing) in self.TEXTS and self.has_text(thing))

    def has_text(self, thing):
        if not self.texts or type(thing) is str and len(thing) < self.shortest:
            return False
        known = self.known.get(id(thing))
        if known is None:
            text = str(thing)
            known = self.known[id(thing)] = any(part in text for part in self.texts)
        return known

    def is_in(self, holder):
        # Goes over all there is: `__call__` is too slow for it.
        ids, kinds = self.ids, self.TEXTS
        for thing in gc.get_referents(holder):
            if id(thing) in ids or type(thing) in kinds and self.has_text(thing):
                return True
        return False


def holders(hidden):
    for holder in gc.get_objects():
        if isinstance(holder, PASSED_BY) or id(holder) in hidden:
            continue
        yield holder
        # Those that keep nothing but texts and numbers are not listed themselves.
        for inner in gc.get_referents(holder):
            if type(inner) in (dict, tuple) and not gc.is_tracked(inner):
                yield inner


def find(wanted, hidden=()):
    """Each Place of something that is wanted. `hidden` are not looked into."""
    hidden = {id(wanted.ids), id(wanted.texts), id(wanted.known), *map(id, hidden)}
    found = [holder for holder in holders(hidden) if wanted.is_in(holder)]
    return [place for holder in found for place in places_in(holder, wanted)]


def places_of(thing):
    """Of one thing, beside what is going on here."""
    wanted = Wanted([thing])
    for holder in gc.get_referrers(thing):
        if not isinstance(holder, PASSED_BY):
            yield from places_in(holder, wanted)


def places_in(holder, wanted):
    if isinstance(holder, dict):
        found = places_in_dict(holder, wanted)
    elif isinstance(holder, list):
        found = places_in_list(holder, wanted)
    elif isinstance(holder, tuple):
        found = places_in_tuple(holder, wanted)
    elif isinstance(holder, types.CellType):
        found = [Place(holder.cell_contents, lambda new: setattr(holder, "cell_contents", new))]
    elif isinstance(holder, types.MethodType):
        found = places_of_method(holder)
    else:
        found = places_in_instance(holder, wanted)
    yield from found


def places_in_dict(holder, wanted):
    # What a class looks up is remembered elsewhere too: its own way of setting takes care of that.
    classes = [owner for owner in gc.get_referrers(holder) if isinstance(owner, type)]
    for key, thing in list(holder.items()):
        if wanted(thing):
            yield Place(thing, functools.partial(put_item, holder, classes, key))
        if wanted(key):
            yield Place(key, None, holder)


def put_item(holder, classes, key, new):
    for cls in classes:
        if vars(cls).get(key) is holder.get(key):
            return setattr(cls, key, new)
    holder[key] = new


def places_in_list(holder, wanted):
    for at, thing in enumerate(holder):
        if wanted(thing):
            yield Place(thing, lambda new, at=at: holder.__setitem__(at, new))


def places_in_tuple(holder, wanted):
    """Another tuple takes its place, as in `def log(text, file=sys.stderr)`."""
    numbers = [at for at, thing in enumerate(holder) if wanted(thing)]
    functions = [f for f in gc.get_referrers(holder) if getattr(f, "__defaults__", None) is holder]
    outer = [] if functions else list(places_of(holder))
    put = None
    if functions:
        put = functools.partial(set_defaults, functions)
    elif outer and all(place.put for place in outer):
        put = functools.partial(rebuild, list(holder), type(holder), [place.put for place in outer])
    for at in numbers:
        yield Place(holder[at], put and functools.partial(put, at))


def set_defaults(functions, at, new):
    for function in functions:
        defaults = list(function.__defaults__)
        defaults[at] = new
        function.__defaults__ = tuple(defaults)


def rebuild(things, kind, puts, at, new):
    things[at] = new
    for put in puts:
        put(tuple.__new__(kind, things))


def places_of_method(method):
    """`write = sys.stderr.write`"""
    name = method.__func__.__name__
    for place in list(places_of(method)):
        put = place.put
        yield Place(method.__self__, put and (lambda new, put=put: put(getattr(new, name))))


def places_in_instance(holder, wanted):
    found = False
    for cls in type(holder).__mro__:
        for slot in vars(cls).values():
            if isinstance(slot, SLOT):
                try:
                    thing = slot.__get__(holder)
                except AttributeError:
                    continue
                if wanted(thing):
                    found = True
                    yield Place(thing, lambda new, slot=slot: slot.__set__(holder, new))
    # Of some Pythons it is no object of its own until somebody asks for it.
    inner = getattr(holder, "__dict__", None)
    if type(inner) is dict:
        for place in places_in_dict(inner, wanted):
            found = True
            yield place
    if not found:
        yield from (Place(thing, None) for thing in gc.get_referents(holder) if wanted(thing))
