#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""lab/atlas.py EXPLANATIONS DIRECTORY...: the results of the scenarios on several kernels, as Markdown on stdout.

A directory has what lab/guest/atlas leaves, and the file `row` of lab/atlas. EXPLANATIONS is lab/atlas.txt.
Exit: 0 fine, 2 wrong usage, 3 a scenario went not as expected on some kernel.
"""

import json
import re
import sys
import textwrap
from pathlib import Path

WIDE = 100  # columns of what is shown as it is
PROSE = 118  # columns of sentences
NOT_REACHED = "not reached"
SAID = {0: "ok", 1: "not", 4: "cannot"}  # exit statuses of `gupwalk run`; any other is trouble


def version_of(text):
    """5.10-rt -> (5, 10)"""
    return tuple(int(n) for n in re.match(r"(\d+)\.(\d+)", text).groups())


def spoken(version):
    return ".".join(str(n) for n in version)


# --- kernels -------------------------------------------------------------------------------------------------------------


class Kernel:
    """A row of lab/kernels.txt: a column of the atlas."""

    def __init__(self, directory):
        self.dir = Path(directory)
        name, arch, page, levels, self.release, self.package = (self.dir / "row").read_text().split()
        self.name, self.page, self.levels = name, int(page), int(levels)
        self.arch = {"aarch64": "arm64"}.get(arch, arch)
        self.version = version_of(name)
        rest = name.partition("-")[2]
        self.flavour = "" if re.fullmatch(r"\d+k", rest) else rest
        without = self.dir / "unavailable"
        self.unavailable = without.read_text().strip() if without.exists() else None

    @property
    def variant(self):
        return (self.arch, self.page, self.flavour)

    def order(self):
        return (self.arch == "arm64", self.version, self.flavour, self.page)

    def lines(self, name):
        return (self.dir / name).read_text(errors="replace").splitlines()


def variant_sets(variants):
    """Pairs of words and a set of variants, the simplest words first."""
    arches = sorted({v[0] for v in variants}, reverse=True)
    pages = sorted({v[1] for v in variants})
    yield "", set(variants)
    for arch in arches:
        yield arch, {v for v in variants if v[0] == arch}
    for page in pages:
        yield "pages of %dK" % page, {v for v in variants if v[1] == page}
    if len(pages) > 2:
        yield "larger pages than %dK" % pages[0], {v for v in variants if v[1] > pages[0]}
    for v in variants:
        arch, page, flavour = v
        words = arch + (" with pages of %dK" % page if sum(x[0] == arch for x in variants) > 1 else "")
        yield (flavour or words), {v}
    yield "others than rt", {v for v in variants if not v[2]}


class Groups:
    """Names sets of kernels: `5.10`, `6.1 and later, arm64`."""

    def __init__(self, kernels):
        self.versions = sorted({k.version for k in kernels})
        self.boxes = []
        variants = sorted({k.variant for k in kernels}, key=lambda v: (v[0] == "arm64", v))
        for variant_words, chosen in variant_sets(variants):
            for i, low in enumerate(self.versions):
                for j in range(len(self.versions) - 1, i - 1, -1):
                    range_words = self.range_words(i, j)
                    words = ", ".join(w for w in (range_words, variant_words) if w)
                    box = {k for k in kernels if k.variant in chosen and low <= k.version <= self.versions[j]}
                    self.boxes.append((words or "all", box))

    def range_words(self, i, j):
        low, high, last = spoken(self.versions[i]), spoken(self.versions[j]), len(self.versions) - 1
        if i == j:
            return low if last else ""
        if j == last:
            return "%s and later" % low if i else ""
        return "%s %s %s" % (low, "and" if j == i + 1 else "to", high)

    def words(self, members, universe):
        """What a set of kernels is called among those of the universe."""
        left, said = set(members), []
        while left:
            words, box = max(
                ((w, (b & universe)) for w, b in self.boxes if (b & universe) <= members),
                key=lambda x: len(x[1] & left),
            )
            if not box & left:
                raise ValueError("no words for %s" % [k.name for k in left])
            said.append(words)
            left -= box
        return "; ".join(said)


# --- what a scenario did on a kernel -------------------------------------------------------------------------------------


class Namer:
    """Names page frames by where and when they appear first.

    A1, A2 at the first address that the steps are for, B1 at the second. A piece of a larger folio has the name of the folio: A1+37.
    """

    def __init__(self, page_size):
        self.page_size = page_size
        self.names, self.letters, self.numbers = {}, {}, {}
        self.letter = "?"

    def at(self, addr):
        """From here on at this address."""
        page = int(addr, 16) // self.page_size
        self.letter = self.letters.setdefault(page, chr(ord("A") + len(self.letters)))

    def name(self, pfn, page):
        if pfn is None:
            return None
        head, offset = pfn, 0
        if page and 0 <= pfn - page["head_pfn"] < 1 << page["order"]:
            head, offset = page["head_pfn"], pfn - page["head_pfn"]
        if head not in self.names:
            self.numbers[self.letter] = self.numbers.get(self.letter, 0) + 1
            self.names[head] = "%s%d" % (self.letter, self.numbers[self.letter])
        return self.names[head] + ("+%d" % offset if offset else "")


def snapshot_words(snap, vma, namer):
    name = namer.name(snap["pfn"], snap["page"])
    state, page = snap["state"], snap["page"]
    if state == "none":
        level = next((lv["name"] for lv in reversed(snap["levels"]) if not lv["folded"]), "pte")
        return "none" + ("" if level == "pte" else " (%s)" % level)
    if state == "marker":
        return "marker %s" % snap["marker"]
    words = [] if state == "present" else [state]
    if name:
        words.append(name)
    if state in ("present", "protnone"):
        words.append(page_words(page, vma))
    if state == "present":
        rights = snap["rights"]
        words.append("rw" if "write" in rights else "ro" if "read" in rights else "no-access")
        if snap["leaf"] != "pte":
            words.append(snap["leaf"])
    return " ".join(words)


def page_words(page, vma):
    if page is None:
        return "pfnmap"
    for key, words in (("zero", "zeros"), ("ksm", "ksm"), ("anon", "anon")):
        if page[key]:
            return words
    return {"shmem": "file", "special": "file"}.get(vma["kind"] if vma else "", vma["kind"] if vma else "file")


GIVES = (("pin_", "pins"), ("memfd_pin", "pins"), ("get_user_pages", "gets"), ("follow_pfn", "says"))


def gives_words(record, page, name):
    """Which page the caller has now."""
    if not name:
        return []
    said = ["%s %s" % (next((verb for start, verb in GIVES if record["op"].startswith(start)), "gives"), name)]
    after = page["after"] or {}
    facts, before = after.get("page"), page["before"]["page"]
    if record["op"].startswith("pin_") and facts and after["pfn"] == page["pfn"]:
        had = before["pincount"] if before and page["before"]["pfn"] == page["pfn"] else 0
        if facts["pincount"] <= had:
            said[0] += " uncounted"
    return said


def obtained(page):
    """Page frame that a call gave, and what is known of its folio."""
    return page["pfn"], (page["after"] or {}).get("page") or page["before"]["page"]


def page_outcome(record, page, namer):
    """Cause and words of one page of a record."""
    before = snapshot_words(page["before"], record["vma"], namer)
    after = snapshot_words(page["after"], record["vma"], namer) if page["after"] else before
    name = namer.name(*obtained(page))
    mapping = before if before == after else "%s -> %s" % (before, after)
    return page["cause"], "; ".join([mapping] + gives_words(record, page, name))


def outcome(record, namer, holds):
    """What a call did, in a line. holds: name of an address -> the step and the page that it holds of it."""
    namer.at(record["addr"])
    pages = [page_outcome(record, page, namer) for page in record["pages"]]
    causes = list(dict.fromkeys(cause for cause, _ in pages if cause))
    said = []
    if record["errno"]:
        said.append("-" + record["errno"] + (" (%s)" % record["reason"] if record["reason"] else ""))
    elif record["reason"]:
        said.append("%d (%s)" % (record["ret"], record["reason"]))
    if causes and not (said and causes == ["unchanged"]):
        said.append(" ".join(causes))
    text = ", ".join(said)
    if pages:
        text += (": " if text else "") + pages[0][1]
    note = walk_note(record, namer, holds)
    if len(pages) > 1:
        text += ", and %d pages more" % (len(pages) - 1)
    extras = list(record["fault"] or []) + note
    extras += ["%+d reference" % record["pages"][0]["refcount_delta"]] if record["op"] == "put_page" else []
    extras += ["%d bytes" % record["ret"]] if record["op"] == "access_process_vm" and record["ret"] > 0 else []
    extras += ["held"] if record["held"] else []
    extras += ["the mmap lock was dropped"] if record["mmap_lock"] == "dropped" else []
    return "; ".join([text] + extras)


def walk_note(record, namer, holds):
    """Is what a walk finds what an earlier step took at this address, to hold it?"""
    snap = record["pages"][0]["before"]
    if record["op"] != "walk" or namer.letter not in holds or snap["state"] != "present":
        return []
    step, held = holds[namer.letter]
    same = namer.name(snap["pfn"], snap["page"]) == held
    return ["the page of step %d" % step if same else "not %s of step %d" % (held, step)]


class Step:
    """A step of a scenario on one kernel: the call, and what it did."""

    def __init__(self, op, flags, text):
        self.call = " ".join([op] + ([",".join(flags)] if flags else []))
        self.op, self.text = op, text


class Run:
    """A scenario on one kernel: its steps, and before, between and after them what its program did."""

    def __init__(self, kernel, scenario):
        self.kernel, name = kernel, scenario["name"]
        self.said = SAID.get(int((kernel.dir / (name + ".status")).read_text()), "trouble")
        self.reason, self.steps, self.notes = "", [], [[]]
        if self.said in ("cannot", "trouble"):
            first = next((line for line in kernel.lines(name + ".errors") if line.startswith("gupwalk: ")), "?")
            self.reason = re.sub(r"^gupwalk: (running a scenario: [^:]*: )?", "", first)
        self.text = kernel.lines(name + ".text")
        if self.said != "cannot":
            records = [json.loads(line) for line in kernel.lines(name + ".jsonl")]
            self.read([r for r in records if r["run"] == name])

    def read(self, records):
        namer, left, holds = Namer(self.kernel.page * 1024), list(records), {}
        for kind, words in events(self.text):
            passed = re.match(r"(\S+)(?: with (\S+))? is not called here: (.*)", words)
            if kind == "call" and left:
                record = left.pop(0)
                self.add(Step(record["op"], record["flags"], outcome(record, namer, holds)))
                if record["held"]:
                    holds[namer.letter] = (len(self.steps), namer.name(*obtained(record["pages"][0])))
            elif kind == "call":
                return
            elif passed:
                why = re.sub(r"^(?:op|flags): ", "", passed.group(3))
                flags = passed.group(2).split(",") if passed.group(2) else []
                self.add(Step(passed.group(1), flags, "not called: %s" % why))
            else:
                self.notes[-1].append(note_words(words))

    def add(self, step):
        self.steps.append(step)
        self.notes.append([])

    def unmet(self):
        """What the run says was not as expected."""
        lines = [" ".join(line.split()) for line in unfolded(self.text) if "NOT as expected" in line]
        return [line for line in lines if not line.startswith("expected:")]


def unfolded(lines):
    """Lines that were folded, in one again: what goes on is indented by three or more."""
    out = []
    for line in lines:
        starts = not line.startswith("   ") or re.match(r"   \d+\. ", line)
        if line.strip() and not starts and out and out[-1].strip():
            out[-1] += " " + line.strip()
        else:
            out.append(line)
    return out


def events(lines):
    """Of the text of a run: pairs of `call` or `note`, and the words."""
    for line in unfolded(lines):
        if line.startswith("expected:"):
            return
        if line.startswith("-- "):
            yield "note", line[3:]
        elif re.match(r"\d+\. ", line):
            yield "call", ""


def note_words(words):
    words = re.sub(r": (NOT )?as expected$", "", words)
    return re.sub(r"\bpid \d+", "pid N", words)


# --- a scenario on all kernels -------------------------------------------------------------------------------------------


def grouped(outcomes):
    """kernel -> text: text -> set of kernels, in order of first appearance."""
    groups = {}
    for kernel, text in outcomes.items():
        groups.setdefault(text, set()).add(kernel)
    return groups


class Item:
    """A step, or a note, with what it was on each kernel that came there."""

    def __init__(self, number, call, outcomes):
        self.number, self.call, self.outcomes = number, call, outcomes
        self.groups = grouped(outcomes)

    def differs(self):
        return len(self.groups) > 1

    def reached(self):
        return dict((k, text) for k, text in self.outcomes.items() if text != NOT_REACHED)


class Scenario:
    def __init__(self, about, kernels):
        self.about, self.name = about, about["name"]
        self.runs = dict((k, Run(k, about)) for k in kernels if not k.unavailable)
        self.ran = dict((k, r) for k, r in self.runs.items() if r.said != "cannot")
        self.items = []
        for i in range(max([len(r.steps) for r in self.ran.values()] or [0]) + 1):
            self.add_notes(i)
            self.add_step(i)

    def add_notes(self, slot):
        there = {k: r.notes[slot] for k, r in self.ran.items() if slot < len(r.notes)}
        for j in range(max([len(notes) for notes in there.values()] or [0])):
            said = dict((k, notes[j] if j < len(notes) else "") for k, notes in there.items())
            self.items.append(Item(None, None, said))

    def add_step(self, i):
        there = dict((k, r.steps[i]) for k, r in self.ran.items() if i < len(r.steps))
        if not there:
            return
        calls = [s.call for s in there.values()]
        outcomes = dict((k, s.text) for k, s in there.items())
        for k in self.ran:
            outcomes.setdefault(k, NOT_REACHED)
        self.items.append(Item(i + 1, max(calls, key=len), dict((k, outcomes[k]) for k in self.ran)))

    def steps(self):
        return [item for item in self.items if item.number]

    def classes(self):
        """kernel -> what it did in all: equal for kernels that did the same"""
        return dict((k, tuple(item.outcomes[k] for item in self.steps())) for k in self.ran)


def calls_of(kernels):
    """As a scenario: the ops, and by which function and with which flags each kernel serves them."""
    found = {}
    for k in kernels:
        if k.unavailable:
            continue
        for line in k.lines("list.jsonl"):
            op = json.loads(line)
            if op["kind"] != "op":
                continue
            text = "not there"
            if op["available"]:
                text = "flags " + (",".join(op["flags"]) or "none")
                if op["impl"] not in (op["name"], None, "-"):
                    text = "by %s; %s" % (op["impl"], text)
            found.setdefault(op["name"], {})[k] = text
    return [Item(name, name, outcomes) for name, outcomes in found.items()]


# --- differences and explanations ----------------------------------------------------------------------------------------


HEADINGS = {"arm64": "On arm64", "pages": "With larger pages", "rt": "On a real-time kernel", "chance": "By chance"}


class Explanation:
    """A paragraph of lab/atlas.txt; the top of that file says what its heading means."""

    def __init__(self, head, text):
        self.text, self.used, self.places = text, [], set()
        kind, colon, places = head.partition(":")
        since = re.fullmatch(r"since (\d+\.\d+)(?:, stable (\d+\.\d+)(\.\d+)?)?", kind)
        if not colon or not (since or kind in HEADINGS):
            raise SystemExit("gupwalk: reading the explanations: %s: no heading; see the top of the file" % head)
        self.since = version_of(since.group(1)) if since else None
        self.seen = version_of(since.group(2) or since.group(1)) if since else None
        self.stable = since.group(2) + (since.group(3) or "") if since and since.group(2) else None
        self.kind = "since" if since else kind
        for place in places.split(","):
            name, *steps = place.split()
            self.places |= {(name, int(s) if s.isdigit() else s) for s in steps}

    def explains(self, place, atom):
        if place not in self.places:
            return False
        if self.kind == "chance":
            return True
        if self.since:
            return atom[0] == "since" and atom[1] < self.seen <= atom[2]
        return atom[0] == self.kind

    def heading(self):
        if self.since:
            stable = " and stable kernels since %s" % self.stable if self.stable else ""
            return "Since Linux %s%s" % (spoken(self.since), stable)
        return HEADINGS[self.kind]

    def order(self):
        return (["since", *HEADINGS].index(self.kind), self.since or (), self.stable or "")


def explanations_read(path):
    out = []
    for paragraph in re.split(r"\n\s*\n", re.sub(r"(?m)^#.*\n", "", Path(path).read_text())):
        lines = paragraph.strip("\n").splitlines()
        head = " ".join(line for line in lines if not line[:1].isspace())
        if head:
            out.append(Explanation(head, " ".join(line.strip() for line in lines if line[:1].isspace())))
    return out


def atoms(outcomes):
    """The differences between kernels that differ in one thing only: (since, 5.10, 6.1), (arm64,), (pages,), (rt,)."""
    found = set()
    kernels = list(outcomes)
    plain = {k.version: k for k in kernels if k.variant == ("x86_64", 4, "")}
    small = {k.version: k for k in kernels if k.variant == ("arm64", 4, "")}
    for k in kernels:
        older = [x for x in kernels if x.variant == k.variant and x.version < k.version]
        near = max(older, key=lambda x: x.version) if older else None
        pairs = [(near, ("since", near and near.version, k.version))]
        if k.arch == "arm64":
            pairs += [(small.get(k.version), ("pages",))] if k.page != 4 else [(plain.get(k.version), ("arm64",))]
        elif k.flavour:
            pairs += [(plain.get(k.version), ("rt",))]
        found |= {atom for other, atom in pairs if other and outcomes[other] != outcomes[k]}
    if not found and len(set(outcomes.values())) > 1:
        found.add(("unclear",))
    return found


def atom_words(atom):
    if atom[0] == "since":
        return "between %s and %s" % (spoken(atom[1]), spoken(atom[2]))
    return {
        "arm64": "between x86_64 and arm64",
        "pages": "between pages of 4K and larger ones",
        "rt": "between the real-time kernel and the other",
    }.get(atom[0], "between kernels that have more than one difference")


class Difference:
    def __init__(self, name, item, explanations):
        self.name, self.item, self.why = name, item, []
        self.open = []
        for atom in sorted(atoms(item.reached()), key=str):
            found = [e for e in explanations if e.explains((name, item.number), atom)]
            for e in found:
                if e not in self.why:
                    self.why.append(e)
                    e.used.append(self)
            if not found:
                self.open.append(atom)


# --- writing -------------------------------------------------------------------------------------------------------------


def wrapped(text, width=PROSE, first="", rest=""):
    return textwrap.fill(
        text, width, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def link(heading):
    return "#" + re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


class Atlas:
    def __init__(self, kernels, explanations):
        self.kernels = sorted(kernels, key=Kernel.order)
        self.there = [k for k in self.kernels if not k.unavailable]
        self.groups = Groups(self.there)
        newest = max(self.there, key=lambda k: k.version)
        abouts = [json.loads(line) for line in newest.lines("list.jsonl")]
        self.scenarios = [Scenario(a, self.kernels) for a in abouts if a["kind"] != "op"]
        self.calls = calls_of(self.kernels)
        self.explanations = explanations
        self.differences = [
            Difference(name, item, explanations)
            for name, items in [(s.name, s.steps()) for s in self.scenarios] + [("calls", self.calls)]
            for item in items
            if len(set(item.reached().values())) > 1
        ]
        self.unmet = [(s, k, r) for s in self.scenarios for k, r in s.ran.items() if r.said != "ok"]

    def words(self, members, universe):
        return self.groups.words(set(members), set(universe))

    # the parts, each as lines

    def write(self):
        for part in (self.head, self.kernel_table, self.glance, self.differing, self.open, self.not_expected, self.call_part):
            yield from part()
        yield "## Scenario by scenario"
        yield ""
        for s in self.scenarios:
            yield from self.scenario(s)

    def head(self):
        yield "<!-- written by make atlas -->"
        yield "# Atlas: what each call does to each kind of memory, kernel by kernel"
        yield ""
        yield HEAD
        yield ""

    def kernel_table(self):
        yield "## The kernels"
        yield ""
        yield "| kernel | architecture | pages | levels | release |"
        yield "|---|---|---|---|---|"
        for k in self.kernels:
            what = "not to be had: " + k.unavailable if k.unavailable else "%s (Debian %s)" % (k.release, k.package)
            yield "| %s | %s | %dK | %d | %s |" % (k.name, k.arch, k.page, k.levels, what)
        yield ""

    def glance(self):
        yield "## At a glance"
        yield ""
        yield wrapped(
            "A column for each kernel, a line for each scenario. Kernels with the same letter did the same in all its steps; "
            "`=`: so did all that could run it. `-`: it cannot be run there (why is said with the scenario). `!`: it went not as "
            "expected. `?`: the kernel was not to be had."
        )
        yield ""
        yield "```"
        left = max(len(s.name) for s in self.scenarios)
        yield from self.glance_heads(left)
        for s in self.scenarios:
            yield self.glance_line(s, left)
        yield "```"
        yield ""

    def glance_heads(self, left):
        marks = [
            [k.arch if i == 0 or self.kernels[i - 1].arch != k.arch else "" for i, k in enumerate(self.kernels)],
            [spoken(k.version) for k in self.kernels],
            [k.flavour or ("%dK" % k.page if k.page != 4 else "") for k in self.kernels],
        ]
        for cells in marks[: 3 if any(marks[2]) else 2]:
            line, column = " " * left, left
            for k, cell in zip(self.kernels, cells):
                column += 2 if k.arch == "arm64" and self.first_arm() is k else 0
                line = line.ljust(column + 1) + cell
                column += 5
            yield line.rstrip()

    def first_arm(self):
        return next((k for k in self.kernels if k.arch == "arm64"), None)

    def glance_line(self, s, left):
        classes = s.classes()
        letters = dict((c, chr(ord("a") + i)) for i, c in enumerate(dict.fromkeys(classes.values())))
        line = s.name.ljust(left)
        for k in self.kernels:
            if self.first_arm() is k:
                line += "  "
            cell = "?" if k.unavailable else "-" if k not in s.ran else letters[classes[k]] if len(letters) > 1 else "="
            if k in s.ran and s.ran[k].said != "ok":
                cell += "!"
            line += " " + cell.ljust(4)
        return line.rstrip()

    def differing(self):
        yield "## What differs between kernels"
        yield ""
        if not self.differences:
            yield "Nothing."
            yield ""
        heading = None
        for e in sorted((e for e in self.explanations if e.used), key=Explanation.order):
            if e.heading() != heading:
                heading = e.heading()
                yield "### %s" % heading
                yield ""
            yield wrapped(e.text)
            yield ""
            yield from self.difference_block(e.used)

    def difference_block(self, differences):
        calls = [d.item.call for d in differences if d.name == "calls"]
        if calls:
            yield wrapped("[The calls](#the-calls) that it is about: %s." % ", ".join("`%s`" % c for c in calls))
            yield ""
        if len(calls) == len(differences):
            return
        yield "```"
        for d in differences:
            if d.name != "calls":
                yield "%s %s. %s" % (d.name, d.item.number, d.item.call)
                yield from self.group_lines(d.item, "    ")
        yield "```"
        yield ""

    def group_lines(self, item, indent, width=None):
        said = [(self.words(members, item.outcomes), text) for text, members in item.groups.items()]
        longest = max(len(words) for words, _ in said)
        width = min(width or longest, 30)
        for words, text in said:
            if len(words) > width:
                yield wrapped(words + ":", WIDE, indent, indent)
                words = ""
            start = indent + words.ljust(width) + "  "
            yield wrapped(text or "(nothing)", WIDE, start, " " * len(start))

    def open(self):
        unexplained = [d for d in self.differences if d.open]
        if not unexplained:
            return
        yield "## Not explained yet"
        yield ""
        for d in unexplained:
            yield "The difference %s:" % " and ".join(atom_words(a) for a in d.open)
            yield ""
            yield from self.difference_block([d])

    def not_expected(self):
        if not self.unmet:
            return
        yield "## Not as expected"
        yield ""
        for s, k, run in self.unmet:
            what = run.reason if run.said == "trouble" else "; ".join(run.unmet()) or "see its text"
            yield wrapped("* `%s` on %s, %s: %s" % (s.name, k.name, k.arch, what), PROSE, "", "  ")
        yield ""

    def call_part(self):
        yield "## The calls"
        yield ""
        yield wrapped(
            "Not every kernel has every function, with every flag. An op of gupwalk is served by the kernel's function of the same "
            "name, or by the one that took its place."
        )
        yield ""
        yield "```"
        for item in self.calls:
            if item.differs():
                yield item.call
                yield from self.group_lines(item, "    ")
        same = [item.call for item in self.calls if not item.differs()]
        yield wrapped("the same on all: " + ", ".join(same), WIDE, "", "    ")
        yield "```"
        yield ""

    def scenario(self, s):
        yield "### %s" % s.name
        yield ""
        yield wrapped("Teaches: %s." % s.about["summary"])
        yield ""
        if s.about["needs"]:
            yield wrapped("Needs %s." % s.about["needs"])
            yield ""
        without = {}
        for k, run in s.runs.items():
            if run.said == "cannot":
                without.setdefault(run.reason, set()).add(k)
        for reason, members in without.items():
            yield wrapped("Not on %s: %s." % (self.words(members, s.runs), reason))
            yield ""
        if s.ran:
            yield "```"
            for item in s.items:
                yield from self.item_lines(item)
            yield "```"
            yield ""
        headings = dict((e.heading(), 1) for d in self.differences if d.name == s.name for e in d.why)
        if headings:
            yield "What differs: %s." % ", ".join("[%s](%s)" % (h[0].lower() + h[1:], link(h)) for h in headings)
            yield ""

    def item_lines(self, item):
        if item.number:
            yield "%d. %s" % (item.number, item.call)
        if not item.differs():
            text = next(iter(item.groups))
            yield wrapped(text, WIDE, "      " if item.number else "   ", "      " if item.number else "   ")
        elif item.number:
            yield from self.group_lines(item, "    * ")
        else:
            for text, members in item.groups.items():
                if text:
                    yield wrapped("%s (%s)" % (text, self.words(members, item.outcomes)), WIDE, "   ", "   ")


HEAD = """
What `get_user_pages`, `pin_user_pages` and the others do to a page that is there, that is not, that is shared, swapped out,
huge, a file's or a device's, changed often between Linux 5.10 and today. This page is what they did: each scenario and recipe
of `gupwalk run --all`, run on each of these kernels in a virtual machine, from the records that it left. `make atlas` makes it
anew; `gupwalk run NAME` shows the page tables behind each line.

A step is a call, with its flags; under it is what came of it, for all kernels, or for those of each line that begins with `*`.
A line without a number is what the program, or the driver, did in between:

```
   the program maps two buffers and touches neither
1. pin_user_pages
      zero-mapped: none -> A1 zeros ro; pins A1; held
```

| words | meaning |
|---|---|
| `unchanged`, `cow`, `zero-mapped`, … | what the call did to the mapping: [tokens of cause](../debugfs-layout.md#tokens-of-cause) |
| `-EFAULT (vma-prot-none)`, `0 (nofault)` | an error, or no page without one, and the rule behind it: [tokens of reason](../debugfs-layout.md#tokens-of-reason) |
| `none -> A1 zeros ro` | what is mapped before the call, and after it; said once if both are the same. Of `walk`: what is mapped now |
| `A1`, `A2`, `B1` | page frames, by where they appeared first: A is the first address that the steps of the scenario are for, A1 the first page frame there. `A1+37`: 37 small pages into a huge one |
| `anon`, `zeros`, `ksm`, `file`, `pfnmap` | anonymous memory; the page of zeros that all share; a page that KSM merged; a page of a file or of shared memory; a page frame without a page, as devices have |
| `ro`, `rw` | the entries allow reading only; writing too |
| `pmd`, `none (pmd)` | mapped by a huge entry; a hole as large as one |
| `gets A1`, `pins A1`, `says A1` | the caller has a reference of the page (FOLL_GET), a pin (FOLL_PIN), its page frame number and no more. `uncounted`: nothing in the page tells of the pin |
| `held` | it keeps the page |
| `the page of step 1`, `not A1 of step 1` | a walk finds the page that step 1 took to keep at this address; finds another one |
""".strip()


def main():
    if len(sys.argv) < 3:
        print("usage: lab/atlas.py EXPLANATIONS DIRECTORY...", file=sys.stderr)
        return 2
    explanations = explanations_read(sys.argv[1])
    atlas = Atlas([Kernel(d) for d in sys.argv[2:]], explanations)
    print(re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for part in atlas.write() for line in part.split("\n"))).rstrip())
    for d in atlas.differences:
        for atom in d.open:
            print("gupwalk: not explained: %s %s, %s" % (d.name, d.item.number, atom_words(atom)), file=sys.stderr)
    return 3 if atlas.unmet else 0


if __name__ == "__main__":
    sys.exit(main())
