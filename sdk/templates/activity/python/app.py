"""An activity: a mission and a quiz. Who answers right earns the mission's points, once."""

from campanile_plugin import Denial, Plugin, Words, activities, log, panels, records
from campanile_plugin.panels import Tone

RIGHT = 1  # the index of the right answer
POINTS = 10


class Quiz(Plugin):
    def on_tick(self, now):
        # Offering and showing the same again changes nothing.
        names = Words("合理用空调", "Cool, not cold")
        task = Words("答对空调温度题", "Answer the question on air-conditioning")
        activities.offer([activities.Mission("cool", names, task, POINTS)])
        panels.show("quiz", quiz())

    def on_panel(self, event):
        if "answer" not in event.entered:
            return
        right = event.entered["answer"] == RIGHT
        records.keep("answer", {"person": event.person, "right": right})
        if right:
            try:
                activities.award("cool", event.person, POINTS)
            except Denial as denial:
                log.info(f"{event.person}: {denial}")  # it has been earned before
        # Only the person who answered sees it.
        if right:
            said = panels.text("said", Words("答对了！", "Right!"), Tone.GOOD)
        else:
            said = panels.text("said", Words("再想想：每调高一度都省电。", "Think again: each degree saves."), Tone.CAUTION)
        panels.show_to("quiz", event.person, quiz(said))


def quiz(*below):
    question = Words("夏季空调设定多少度合适？", "Which setpoint is right in summer?")
    answers = [Words(answer, answer) for answer in ("20 °C", "26 °C", "30 °C")]
    return panels.column("all", [panels.quiz("question", question, answers), *below])
