"""python3 -B -m unittest discover -s setup/arm64 -p '*_test.py'"""

import unittest

from compare import Unusable, compare

PERSON = ("person", 0.6, (0.1, 0.1, 0.2, 0.4))


def moved(detection, score=0.0, x=0.0):
    name, old, (x0, y0, x1, y1) = detection
    return (name, old + score, (x0 + x, y0, x1 + x, y1))


class Compare(unittest.TestCase):
    def test_rounding_is_no_difference(self):
        lines, agree = compare({1: [PERSON]}, {1: [moved(PERSON, 1e-5, 1e-5)]})
        self.assertTrue(agree, lines)
        self.assertIn("1 detections in both", lines[0])

    def test_order_does_not_matter(self):
        far = moved(PERSON, 0.1, 0.5)
        self.assertTrue(compare({1: [PERSON, far]}, {1: [far, PERSON]})[1])

    def test_a_moved_box_a_changed_score_and_another_class_are_differences(self):
        weak = ("person", 0.2, (0.8, 0.8, 0.9, 0.9))
        for wrong in (moved(PERSON, x=0.02), moved(PERSON, score=0.05), ("car", *PERSON[1:])):
            with self.subTest(wrong=wrong):
                self.assertFalse(compare({1: [PERSON, weak]}, {1: [wrong, weak]})[1])

    def test_missing_and_additional_detections_are_differences(self):
        weak = ("person", 0.2, (0.8, 0.8, 0.9, 0.9))
        self.assertFalse(compare({1: [PERSON, weak]}, {1: [weak]})[1])
        self.assertFalse(compare({1: [weak]}, {1: [PERSON, weak]})[1])

    def test_at_the_threshold_one_side_may_miss(self):
        weak = ("person", 0.2, (0.8, 0.8, 0.9, 0.9))
        lines, agree = compare({1: [PERSON, weak]}, {1: [PERSON]})
        self.assertTrue(agree, lines)
        self.assertIn("1 at the threshold", lines[0])

    def test_many_at_the_threshold_are_a_difference(self):
        weak = [("person", 0.2, (x / 10, 0.8, x / 10 + 0.05, 0.9)) for x in range(5)]
        self.assertFalse(compare({1: [PERSON, *weak]}, {1: [PERSON]})[1])

    def test_nothing_seen_is_no_agreement(self):
        with self.assertRaises(Unusable):
            compare({1: []}, {1: []})
        self.assertFalse(compare({1: [PERSON]}, {1: []})[1])

    def test_other_frames_cannot_be_compared(self):
        with self.assertRaises(Unusable):
            compare({1: [PERSON]}, {2: [PERSON]})


if __name__ == "__main__":
    unittest.main()
