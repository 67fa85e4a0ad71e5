"""The frames of a film: which slide is seen when, how much of it, and what grain lies on it."""

import numpy
from PIL import Image

# Slides are this much larger than the film: room to move.
ROOM = 1.25


class Film:
    def __init__(self, slides, size, fps, seconds, fade, grain, seed):
        self.slides = slides
        self.size = size
        self.grain = grain
        self.slide_frames = max(1, round(seconds * fps))
        # A slide is seen alone for at least one frame.
        self.fade_frames = min(round(fade * fps), self.slide_frames - 1)
        self.frame_count = self.slide_frames * len(slides) + self.fade_frames
        self.random = numpy.random.default_rng(seed)
        self.pans = [self.random.uniform(0, 1, (2, 2)) for _ in slides]

    def frames(self):
        for number in range(self.frame_count):
            at, into = divmod(number, self.slide_frames)
            if at == len(self.slides):
                frame = Image.new("RGB", self.size)
                at, into = at - 1, self.slide_frames + into
                share = 1 - (into - self.slide_frames + 1) / (self.fade_frames + 1)
                frame = Image.blend(frame, self.view(at, into), share)
            else:
                frame = self.view(at, into)
                if into < self.fade_frames:
                    before = self.view(at - 1, self.slide_frames + into) if at else Image.new("RGB", self.size)
                    frame = Image.blend(before, frame, (into + 1) / (self.fade_frames + 1))
            yield self.add_grain(numpy.asarray(frame))

    def view(self, at, into):
        """What is seen of a slide: a window that moves from one place to another."""
        slide = self.slides[at]
        first, last = self.pans[at]
        share = into / (self.slide_frames + self.fade_frames)
        place = first + (last - first) * share
        left, top = place * (slide.width - self.size[0], slide.height - self.size[1])
        # Parts of a pixel count: steps of whole ones would be seen.
        window = (left, top, left + self.size[0], top + self.size[1])
        return slide.resize(self.size, Image.Resampling.BILINEAR, window)

    def add_grain(self, frame):
        if not self.grain:
            return frame
        noise = self.random.integers(-self.grain, self.grain + 1, frame.shape[:2], numpy.int16)
        return numpy.clip(frame + noise[:, :, None], 0, 255).astype(numpy.uint8)
