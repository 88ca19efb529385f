"""Average precision of 2D detections by KITTI's rules, written from their description and apart from src/metrics, with
areas as fractions so that they do not depend on rounding.

Reads a JSON object {"frames": [{"objects": [...], "detections": [...]}], "class", "neighbours", "height", "occlusion",
"truncation", "overlap"} from standard input, boxes as [left, top, right, bottom]; prints {"ap11", "ap40", "objects"}.
"""
import json
import sys
from fractions import Fraction as F
from functools import lru_cache


def area(b):
    return max(F(0), b[2] - b[0]) * max(F(0), b[3] - b[1])


def common(a, b):
    return area((max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])))


@lru_cache(maxsize=None)
def iou(a, b):
    both = common(a, b)
    return both / (area(a) + area(b) - both) if both else F(0)


class Image:
    """Everything of an image that takes part, each detection with a state: 'valid' or 'small'."""

    def __init__(self, frame, q):
        box = lambda o: tuple(F(v) for v in o["box"])
        self.truth = []
        self.regions = []
        for o in frame["objects"]:
            b = box(o)
            if o["class"] == "DontCare":
                self.regions.append(b)
            if o["class"] == q["class"]:
                fits = b[3] - b[1] > q["height"] and o["occlusion"] <= q["occlusion"] and F(o["truncation"]) <= F(q["truncation"])
                self.truth.append((b, fits))
            elif o["class"] in q["neighbours"]:
                self.truth.append((b, False))
        self.found = []
        for d in frame["detections"]:
            b = box(d)
            if b[3] - b[1] < q["height"]:
                self.found.append((b, d["score"], "small"))
            elif d["class"] == q["class"]:
                self.found.append((b, d["score"], "valid"))
        self.least = F(str(q["overlap"]))

    def assign(self, least_score, choose):
        """Pairs (position in truth, position in found), each object in turn choosing among those left."""
        left = [i for i, d in enumerate(self.found) if least_score is None or d[1] >= least_score]
        pairs = {}
        for t, (b, _) in enumerate(self.truth):
            able = [i for i in left if iou(b, self.found[i][0]) > self.least]
            if able:
                pairs[t] = choose(b, able)
                left.remove(pairs[t])
        return pairs, left

    def scores(self):
        surest = lambda b, able: max(able, key=lambda i: (self.found[i][1], -i))
        pairs, _ = self.assign(None, surest)
        return [self.found[i][1] for t, i in pairs.items() if self.truth[t][1] and self.found[i][2] == "valid"]

    def counts(self, score):
        def closest(b, able):
            valid = [i for i in able if self.found[i][2] == "valid"]
            if not valid:
                return able[0]
            return max(valid, key=lambda i: (iou(b, self.found[i][0]), -i))

        pairs, left = self.assign(score, closest)
        tp = sum(self.truth[t][1] and self.found[i][2] == "valid" for t, i in pairs.items())
        fn = sum(fits for t, (_, fits) in enumerate(self.truth) if t not in pairs)
        loose = [self.found[i][0] for i in left if self.found[i][2] == "valid"]
        inside = lambda b: any(area(b) and common(b, r) / area(b) > self.least for r in self.regions)
        return tp, fn, sum(not inside(b) for b in loose)


def main():
    q = json.load(sys.stdin)
    images = [Image(f, q) for f in q["frames"]]
    total = sum(fits for im in images for _, fits in im.truth)
    scores = sorted((s for im in images for s in im.scores()), reverse=True)
    precision = [F(0)] * 41
    step = 0
    wanted = 0.0
    for i, score in enumerate(scores):
        # In floating point, added up: where two hits are equally near, KITTI's rounding decides.
        here, after = (i + 1) / total, (i + 2) / total
        if i + 1 < len(scores) and after - wanted < wanted - here:
            continue
        tp, _, fp = (sum(column) for column in zip(*(im.counts(score) for im in images)))
        precision[step] = F(tp, tp + fp) if tp else F(0)
        step += 1
        wanted += 1 / 40
    best = [max(precision[i:]) for i in range(41)]
    print(json.dumps({"ap11": float(sum(best[::4]) / 11), "ap40": float(sum(best[1:]) / 40), "objects": total}))


main()
