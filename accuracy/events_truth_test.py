import unittest

from events_truth import Clip, camera_of, crowds, read_mot, stays, truth_events

CONFIG = {
    "camera": [
        {
            "id": "gate",
            "zone": [{"id": "right", "polygon": [[0.5, 0.0], [1.0, 0.0], [1.0, 1.0], [0.5, 1.0]]}],
            "line": [{"id": "middle", "points": [[0.5, 1.0], [0.5, 0.1]]}],
        }
    ]
}
CLIP = Clip((100, 100), 10)


def at(x):
    """A person in a picture of 100 by 100 whose foot is at `x`."""
    return (x - 5, 20, 10, 40)


def boxes(frames, x):
    return {frame: at(x) for frame in frames}


def told(people, clip=CLIP, **rule):
    place = {"line": "middle"} if rule["kind"] == "line_crossing" else {"zone": "right"}
    return truth_events(people, {"id": "r"} | place | rule, camera_of(CONFIG)[1], clip)


def spans(people, **rule):
    return [(event["person"], event["start"], event["end"]) for event in told(people, **rule)]


def intrusions(people, **rule):
    return spans(people, kind="zone_intrusion", **rule)


class Reading(unittest.TestCase):
    def test_boxes_by_person_and_frame(self):
        people = read_mot(["1,9,499,158,31.03,75.17,1,-4.1,-7.3,0", "", "2,9,500,158,31,75,0,-1,-1,-1"])
        self.assertEqual(people, {9: {1: (499, 158, 31.03, 75.17), 2: (500, 158, 31, 75)}})

    def test_a_short_line_is_named(self):
        with self.assertRaisesRegex(ValueError, "line 2"):
            read_mot(["1,9,1,2,3,4", "1,9"])

    def test_what_cannot_be_derived_is_said(self):
        with self.assertRaisesRegex(ValueError, "object_left"):
            told({}, kind="object_left")


class Stays(unittest.TestCase):
    def test_a_gap_splits_only_when_it_is_long(self):
        self.assertEqual(stays([1, 2, 5, 30], 20), [[1, 2, 5], [30]])

    def test_one_stay_is_one_event(self):
        self.assertEqual(intrusions({7: boxes(range(11, 51), 70)}), [(7, 1.0, 4.9)])
        self.assertEqual(len(intrusions({7: boxes(range(1, 51), 70), 8: boxes(range(1, 51), 80)})), 2)

    def test_outside_and_too_short_are_none(self):
        self.assertEqual(intrusions({7: boxes(range(1, 51), 30)}), [])
        self.assertEqual(intrusions({7: boxes(range(1, 10), 70)}), [])
        self.assertEqual(len(intrusions({7: boxes(range(1, 10), 70)}, dwell_ms=500)), 1)

    def test_about_as_long_as_the_dwell_is_doubtful(self):
        def doubtful(count):
            people = {7: boxes(range(1, count + 1), 70)}
            events = told(people, Clip((100, 100), 10, margin=0.25), kind="zone_intrusion")
            return [event.get("doubtful", False) for event in events]

        self.assertEqual([doubtful(count) for count in (7, 9, 13, 15)], [[], [True], [True], [False]])

    def test_a_step_out_does_not_split_and_a_walk_does(self):
        step = {7: boxes(range(1, 21), 70) | boxes(range(21, 36), 30) | boxes(range(36, 61), 70)}
        self.assertEqual(intrusions(step), [(7, 0.0, 5.9)])
        walk = {7: boxes(range(1, 21), 70) | boxes(range(21, 61), 30) | boxes(range(61, 81), 70)}
        self.assertEqual(intrusions(walk), [(7, 0.0, 1.9), (7, 6.0, 7.9)])

    def test_coming_in_and_going_out(self):
        walk = {7: boxes(range(1, 21), 70) | boxes(range(21, 61), 30) | boxes(range(61, 81), 70)}
        self.assertEqual(intrusions(walk, direction="entering"), [(7, 6.0, 7.9)])
        self.assertEqual(intrusions(walk, direction="leaving"), [(7, 2.0, 2.0)])

    def test_loitering_is_due_when_it_has_lasted(self):
        people = {7: boxes(range(1, 101), 70), 8: boxes(range(1, 31), 70)}
        events = told(people, kind="loitering", after_s=5)
        self.assertEqual([(event["person"], event["start"], event["due"]) for event in events], [(7, 4.0, 5.0)])


class Lines(unittest.TestCase):
    def crossings(self, *xs, **rule):
        people = {7: {frame: at(x) for frame, x in enumerate(xs, 1)}}
        return [event["due"] for event in told(people, kind="line_crossing", **rule)]

    def test_over_is_one_event_at_the_moment_of_crossing(self):
        self.assertEqual(self.crossings(30, 45, 52, 55, 70), [0.2])

    def test_only_the_direction_asked_for(self):
        self.assertEqual(self.crossings(30, 70, direction="left_to_right"), [0.1])
        self.assertEqual(self.crossings(30, 70, direction="right_to_left"), [])
        self.assertEqual(self.crossings(70, 30, direction="right_to_left"), [0.1])

    def test_who_dithers_counts_once_and_who_turns_back_not_at_all(self):
        self.assertEqual(self.crossings(30, 52, 48, 53, 47, 52, 70), [0.5])
        self.assertEqual(self.crossings(30, 52, 48, 30), [])

    def test_who_hardly_got_clear_is_doubtful_if_asked_for(self):
        people = {7: {frame: at(x) for frame, x in enumerate((30, 63, 30), 1)}}
        deep = {7: {frame: at(x) for frame, x in enumerate((20, 80), 1)}}
        for walk, expected in ((people, [True, True]), (deep, [False])):
            events = told(walk, Clip((100, 100), 10, margin=0.5), kind="line_crossing")
            self.assertEqual([event.get("doubtful", False) for event in events], expected)

    def test_there_and_back_is_two(self):
        self.assertEqual(self.crossings(30, 70, 30), [0.1, 0.2])


class Crowds(unittest.TestCase):
    def test_more_than_the_limit_for_a_while_until_it_is_thin_for_a_while(self):
        zone = CONFIG["camera"][0]["zone"][0]["polygon"]
        people = {7: boxes(range(1, 100), 70), 8: boxes(range(11, 41), 80) | boxes(range(44, 61), 80)}
        events = crowds(people, zone, CLIP, limit=1, hysteresis=0, hold=1.0)
        self.assertEqual([(event["start"], event["due"]) for event in events], [(1.0, 2.0)])

    def test_a_moment_is_none_and_about_as_long_as_the_hold_is_doubtful(self):
        zone = CONFIG["camera"][0]["zone"][0]["polygon"]

        def doubtful(count, margin):
            people = {7: boxes(range(1, 100), 70), 8: boxes(range(11, 11 + count), 80)}
            events = crowds(people, zone, Clip((100, 100), 10, margin), limit=1, hysteresis=0, hold=1.0)
            return [event.get("doubtful", False) for event in events]

        self.assertEqual([doubtful(count, 0.25) for count in (5, 9, 13, 20)], [[], [True], [True], [False]])
        self.assertEqual([doubtful(count, 0.0) for count in (9, 13)], [[], [False]])


if __name__ == "__main__":
    unittest.main()
