import unittest

import events_truth
from events_truth import contains, foot, read_mot, stays, truth_events

RIGHT_HALF = [(0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0)]
SIZE = (100, 100)


def boxes(frames, x):
    """A person whose foot is at `x` in a picture of 100 by 100."""
    return {frame: (x - 5, 20, 10, 40) for frame in frames}


def events(people, dwell=1.0, gap=2.0):
    told = truth_events(people, RIGHT_HALF, SIZE, 10, dwell, gap)
    return [(event["person"], event["start"], event["end"]) for event in told]


class Reading(unittest.TestCase):
    def test_boxes_by_person_and_frame(self):
        people = read_mot(["1,9,499,158,31.03,75.17,1,-4.1,-7.3,0", "", "2,9,500,158,31,75,1,-1,-1,-1"])
        self.assertEqual(people, {9: {1: (499, 158, 31.03, 75.17), 2: (500, 158, 31, 75)}})

    def test_what_is_marked_as_not_counting_does_not(self):
        self.assertEqual(read_mot(["1,9,1,2,3,4,0,-1,-1,-1"]), {})

    def test_a_short_line_is_named(self):
        with self.assertRaisesRegex(ValueError, "line 2"):
            read_mot(["1,9,1,2,3,4", "1,9"])


class Where(unittest.TestCase):
    def test_foot(self):
        self.assertEqual(foot((40, 20, 20, 40), 100, 100), (0.5, 0.6))

    def test_inside(self):
        self.assertTrue(contains(RIGHT_HALF, 0.7, 0.5))
        self.assertFalse(contains(RIGHT_HALF, 0.3, 0.5))

    def test_a_zone_needs_three_corners(self):
        with self.assertRaises(events_truth.argparse.ArgumentTypeError):
            events_truth.polygon_of("[[0.1, 0.1], [0.2, 0.2]]")


class Stays(unittest.TestCase):
    def test_a_gap_splits_only_when_it_is_long(self):
        self.assertEqual(stays([1, 2, 5, 30], 20), [[1, 2, 5], [30]])

    def test_one_stay_is_one_event(self):
        self.assertEqual(events({7: boxes(range(11, 51), 70)}), [(7, 1.0, 4.9)])

    def test_outside_and_too_short_are_none(self):
        self.assertEqual(events({7: boxes(range(1, 51), 30)}), [])
        self.assertEqual(events({7: boxes(range(1, 10), 70)}), [])

    def test_about_as_long_as_the_dwell_is_doubtful(self):
        def doubtful(count):
            people = {7: boxes(range(1, count + 1), 70)}
            told = truth_events(people, RIGHT_HALF, SIZE, 10, 1.0, 2.0, margin=0.25)
            return [event.get("doubtful", False) for event in told]

        self.assertEqual([doubtful(count) for count in (7, 9, 13, 15)], [[], [True], [True], [False]])

    def test_a_step_out_does_not_split_and_a_walk_does(self):
        step = {7: boxes(range(1, 21), 70) | boxes(range(21, 36), 30) | boxes(range(36, 61), 70)}
        self.assertEqual(events(step), [(7, 0.0, 5.9)])
        walk = {7: boxes(range(1, 21), 70) | boxes(range(21, 61), 30) | boxes(range(61, 81), 70)}
        self.assertEqual(events(walk), [(7, 0.0, 1.9), (7, 6.0, 7.9)])

    def test_two_people_are_two_events(self):
        self.assertEqual(len(events({7: boxes(range(1, 51), 70), 8: boxes(range(1, 51), 80)})), 2)


if __name__ == "__main__":
    unittest.main()
