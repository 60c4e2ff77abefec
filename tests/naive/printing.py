"""A plain twin of the reading of print jobs: one line after the other, by its grammar."""

from __future__ import annotations

import math
import re

from ballistics.printed.jobs.words import commands_of

AXES = "XYZE"


class Printer:
    """Follows a job; ``pieces`` are x0, y0, x1, y1, z, filament, width, kind, run, feed rate."""

    def __init__(self):
        self.pieces, self.events = [], []
        self.at, self.shift, self.unit = [0.0] * 4, [0.0] * 4, 1.0
        self.relative = self.relative_e = False
        self.flat, self.run, self.motion, self.feed = True, 0, None, 0.0
        self.width, self.kind, self.kinds = 0.0, 0, {"": 0}

    def read(self, text):
        for line in re.split(r"\r\n|\r|\n", text):
            self.take(line.strip())

    def take(self, line):
        code = line.partition(";")[0]
        if not code.strip():
            if line.startswith(";TYPE:"):
                self.kind = self.kinds.setdefault(line[6:].strip().lower(), len(self.kinds))
            elif line.startswith(";WIDTH:"):
                self.width = float(line[7:])
            elif line.startswith("; LINE_WIDTH:"):
                self.width = float(line[13:])
            return
        for name, words, flags, _ in commands_of(code.encode()):
            if name in ("G0", "G1", "G2", "G3") or (name == "X" and self.motion):
                self.motion = self.motion if name == "X" else name
                if words:
                    self.moved(self.motion, words)
            elif name == "G92":
                given = {a: words.get(a, 0.0) * self.unit for a in AXES if a in words or a in flags}
                for axis, value in (given or dict.fromkeys(AXES, 0.0)).items():
                    self.shift[AXES.index(axis)] = self.at[AXES.index(axis)] - value
            elif name in ("G20", "G21"):
                self.unit = 25.4 if name == "G20" else 1.0
            elif name in ("G90", "G91"):
                self.relative = name == "G91"
            elif name in ("M82", "M83"):
                self.relative_e = name == "M83"
            elif name in ("G17", "G18", "G19"):
                self.flat = name == "G17"
            elif name == "G28":
                named = [k for k, a in enumerate("XYZ") if a in words or a in flags] or [0, 1, 2]
                self.run += any(self.at[k] != 0.0 for k in named)
                for k in named:
                    self.at[k] = self.shift[k] = 0.0

    def moved(self, motion, words):
        self.feed = words["F"] * self.unit if "F" in words else self.feed
        target = list(self.at)
        for k, axis in enumerate(AXES):
            if axis in words:
                value = words[axis] * self.unit
                relative = self.relative or (axis == "E" and self.relative_e)
                target[k] = self.at[k] + value if relative else value + self.shift[k]
        if motion in ("G2", "G3") and self.flat:
            for point in self.arc(motion == "G2", words, target):
                self.straight(point)
        self.straight(target)

    def arc(self, clockwise, words, target):
        (x0, y0, z0, e0), (x1, y1, z1, e1) = self.at, target
        if "R" in words:
            bow, half = words["R"] * self.unit, math.dist((x0, y0), (x1, y1)) / 2
            if half == 0 or abs(bow) < 0.99 * half:
                return
            away = math.sqrt(max(bow**2 - half**2, 0)) / (2 * half) * (1 if (bow > 0) == clockwise else -1)
            cx, cy = (x0 + x1) / 2 + away * (y1 - y0), (y0 + y1) / 2 - away * (x1 - x0)
        else:
            cx, cy = x0 + words.get("I", 0.0) * self.unit, y0 + words.get("J", 0.0) * self.unit
        radius = math.dist((x0, y0), (cx, cy))
        if not 0 < radius < 1e6:
            return
        first = math.atan2(y0 - cy, x0 - cx)
        turn = (math.atan2(y1 - cy, x1 - cx) - first) % math.tau
        turn = turn - math.tau if clockwise else turn
        if turn == 0 or (x0, y0) == (x1, y1):
            turn = -math.tau if clockwise else math.tau
        chords = min(max(int(abs(turn) / (2 * math.acos(max(1 - 0.02 / radius, 0)))) + 1, 2), 256)
        for k in range(1, chords):
            t = k / chords
            angle = first + t * turn
            yield [cx + radius * math.cos(angle), cy + radius * math.sin(angle), z0 + t * (z1 - z0), e0 + t * (e1 - e0)]

    def straight(self, target):
        (x0, y0, z0, e0), (x1, y1, z1, e1) = self.at, target
        across = (x0, y0) != (x1, y1)
        if e1 > e0 and across:
            self.pieces.append([x0, y0, x1, y1, z1, e1 - e0, self.width, self.kind, self.run, self.feed])
        else:
            self.run += across or z0 != z1
            if across:
                self.events.append([0, math.dist((x0, y0), (x1, y1)), self.feed])
            elif z0 != z1:
                self.events.append([1, z1 - z0, self.feed])
            elif e0 != e1:
                self.events.append([2, e1 - e0, self.feed])
        self.at = list(target)
