//! The door: who a person is, by account or class code, and a password of their own.

use bevy_egui::egui::{
    Align2, Button, Context, Grid, Key, Label, Response, RichText, TextEdit, Ui, Window, vec2,
};
use campanile_protocol::people::{Me, Role, Secret};

use crate::locale::Texts;
use crate::net::Credentials;
use crate::state::{Asked, Link, Why};
use crate::theme::{bad, faint, ink};
use crate::ui::{Action, Input, View};

/// What is being typed at the door.
#[derive(Default, PartialEq)]
pub struct DoorDraft {
    as_student: bool,
    name: String,
    password: String,
    code: String,
    nickname: String,
    new: String,
    again: String,
}

/// Passwords do not show.
impl std::fmt::Debug for DoorDraft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DoorDraft(…)")
    }
}

impl DoorDraft {
    /// What can be sent, where all that is asked has been typed.
    fn credentials(&self, asked: Asked) -> Option<Credentials> {
        match asked {
            Asked::OwnPassword => (!self.new.is_empty() && self.new == self.again)
                .then(|| Credentials::OwnPassword(Secret::new(&self.new))),
            Asked::Person if self.as_student => {
                let (code, nickname) = (self.code.trim(), self.nickname.trim());
                (!code.is_empty() && !nickname.is_empty())
                    .then(|| Credentials::Class { code: Secret::new(code), nickname: nickname.to_owned() })
            }
            Asked::Person => {
                let name = self.name.trim();
                (!name.is_empty() && !self.password.is_empty()).then(|| Credentials::Account {
                    name: name.to_owned(),
                    password: Secret::new(&self.password),
                })
            }
        }
    }

    /// Secrets are kept no longer than they are needed.
    fn forget(&mut self) {
        for secret in [&mut self.password, &mut self.code, &mut self.new, &mut self.again] {
            secret.clear();
        }
    }
}

/// The name of a role.
pub fn role_text(role: Role, texts: &Texts) -> String {
    match role {
        Role::Student => texts.t("role-student"),
        Role::Viewer => texts.t("role-viewer"),
        Role::Vendor => texts.t("role-vendor"),
        Role::Trainer => texts.t("role-trainer"),
        Role::Operator => texts.t("role-operator"),
        Role::Manager => texts.t("role-manager"),
        Role::Admin => texts.t("role-admin"),
    }
}

/// What somebody is called; nothing where the hub asks for no sign-in.
pub fn name_of(me: &Me) -> Option<&str> {
    match (&me.nickname, me.actor.as_str()) {
        (_, "person:local") => None,
        (Some(nickname), _) => Some(nickname),
        (None, actor) => Some(actor.strip_prefix("person:").unwrap_or(actor)),
    }
}

/// Draws the window at the door, where the link waits there.
pub fn sign_in_ui(ctx: &Context, input: &Input<'_>, view: &mut View, actions: &mut Vec<Action>) {
    let Link::Door { asked, why, is_answered } = &input.state.link else { return };
    let texts = input.texts;
    let title = match asked {
        Asked::Person => texts.t("sign-in"),
        Asked::OwnPassword => texts.t("own-password"),
    };
    Window::new(RichText::new(title).strong().color(ink()))
        .id("sign-in".into())
        .collapsible(false)
        .resizable(false)
        .anchor(Align2::CENTER_CENTER, vec2(0.0, 0.0))
        .show(ctx, |ui| {
            ui.set_width(320.0);
            ui.add_enabled_ui(!is_answered, |ui| match asked {
                Asked::Person => person_ui(ui, view, texts, actions),
                Asked::OwnPassword => own_password_ui(ui, view, texts, actions),
            });
            let (said, colour) = match why {
                _ if *is_answered => (texts.t("sign-in-waits"), faint()),
                Why::First => return,
                Why::Token => (texts.t("sign-in-token"), bad()),
                Why::Ended => (texts.t("sign-in-ended"), bad()),
                Why::Said(text) => (text.clone(), bad()),
            };
            ui.add(Label::new(RichText::new(said).color(colour)).wrap());
        });
}

fn person_ui(ui: &mut Ui, view: &mut View, texts: &Texts, actions: &mut Vec<Action>) {
    let draft = &mut view.door;
    ui.horizontal(|ui| {
        ui.selectable_value(&mut draft.as_student, false, texts.t("sign-in-account"));
        ui.selectable_value(&mut draft.as_student, true, texts.t("sign-in-class"));
    });
    ui.add_space(4.0);
    let entered = if draft.as_student {
        fields_ui(
            ui,
            [
                (texts.t("class-code"), &mut draft.code, false, 40),
                (texts.t("nickname"), &mut draft.nickname, false, 24),
            ],
        )
    } else {
        fields_ui(
            ui,
            [
                (texts.t("account-name"), &mut draft.name, false, 64),
                (texts.t("password"), &mut draft.password, true, 128),
            ],
        )
    };
    ui.add_space(4.0);
    let credentials = draft.credentials(Asked::Person);
    let text = if draft.as_student { texts.t("join") } else { texts.t("sign-in") };
    let pressed = ui.add_enabled(credentials.is_some(), Button::new(text)).clicked();
    if (pressed || entered)
        && let Some(credentials) = credentials
    {
        draft.forget();
        actions.push(Action::SignIn(credentials));
    }
}

fn own_password_ui(ui: &mut Ui, view: &mut View, texts: &Texts, actions: &mut Vec<Action>) {
    let draft = &mut view.door;
    ui.label(texts.t("own-password-why"));
    ui.add_space(4.0);
    let entered = fields_ui(
        ui,
        [
            (texts.t("password-new"), &mut draft.new, true, 128),
            (texts.t("password-again"), &mut draft.again, true, 128),
        ],
    );
    if !draft.again.is_empty() && draft.again != draft.new {
        ui.label(RichText::new(texts.t("password-differs")).small().color(bad()));
    }
    ui.add_space(4.0);
    let credentials = draft.credentials(Asked::OwnPassword);
    ui.horizontal(|ui| {
        let pressed = ui.add_enabled(credentials.is_some(), Button::new(texts.t("password-set"))).clicked();
        if ui.button(texts.t("command-cancel")).clicked() {
            draft.forget();
            actions.push(Action::SignOut);
        } else if (pressed || entered)
            && let Some(credentials) = credentials
        {
            draft.forget();
            actions.push(Action::SignIn(credentials));
        }
    });
}

/// Fields to type into: a text, what is typed, whether it is hidden, and the most characters. Gives whether Enter was
/// pressed in the last.
fn fields_ui<const N: usize>(ui: &mut Ui, fields: [(String, &mut String, bool, usize); N]) -> bool {
    let mut entered = false;
    Grid::new("sign-in-fields").num_columns(2).spacing(vec2(12.0, 8.0)).show(ui, |ui| {
        for (text, typed, is_hidden, most) in fields {
            let label = ui.label(text);
            let field =
                TextEdit::singleline(typed).password(is_hidden).char_limit(most).desired_width(f32::INFINITY);
            let field: Response = ui.add(field).labelled_by(label.id);
            entered = field.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
            ui.end_row();
        }
    });
    entered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_whole_and_does_not_show() {
        let mut draft = DoorDraft { name: " anna ".into(), ..DoorDraft::default() };
        assert_eq!(draft.credentials(Asked::Person), None);
        draft.password = "four words".into();
        let password = Secret::new("four words");
        assert_eq!(
            draft.credentials(Asked::Person),
            Some(Credentials::Account { name: "anna".into(), password })
        );
        draft.as_student = true;
        assert_eq!(draft.credentials(Asked::Person), None);
        (draft.code, draft.nickname) = ("ab-cd".into(), "小明".into());
        let code = Secret::new("ab-cd");
        assert_eq!(
            draft.credentials(Asked::Person),
            Some(Credentials::Class { code, nickname: "小明".into() })
        );
        (draft.new, draft.again) = ("one".into(), "other".into());
        assert_eq!(draft.credentials(Asked::OwnPassword), None, "they differ");
        draft.again = "one".into();
        assert!(draft.credentials(Asked::OwnPassword).is_some());
        assert!(!format!("{draft:?}{:?}", draft.credentials(Asked::OwnPassword)).contains("one\""));
        draft.forget();
        assert_eq!((draft.password.as_str(), draft.new.as_str(), draft.name.as_str()), ("", "", " anna "));
    }
}
