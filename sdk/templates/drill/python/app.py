"""The director of a drill: where it rains hard the guard reports, and the trainees are asked whether the barrier at the
canteen goes up. Each is said once."""

from campanile_plugin import Plugin, Words, drills, store
from campanile_plugin.drills import Stage

ACTION = "barrier-canteen"  # what a yes begins


class Director(Plugin):
    def start(self, settings):
        self.rain_mm = settings.number("rain_mm", 20)

    def on_tick(self, now):
        if drills.now().rain_hour_mm < self.rain_mm or store.load("asked", False):
            return
        drills.tell(Words("保安", "Guard"), Words("雨很大，食堂门口开始积水", "It pours, and water stands at the canteen"))
        question = Words("食堂门口上挡水板吗？", "Does the barrier at the canteen go up?")
        drills.ask_trainees("barrier", question, [Words("上", "Yes"), Words("再等等", "Not yet")])
        store.save("asked", True)

    def on_decision(self, decision):
        if decision.id == "barrier" and decision.answer == 0 and drills.progress(ACTION) == Stage.NOT_BEGUN:
            drills.begin(ACTION)
