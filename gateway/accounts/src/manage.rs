//! What an administrator does: accounts, screens, sealed codes.

use linli_domain::Id;
use linli_domain::caller::Acting;
use serde_json::{Value, json};

use crate::directory::{EnrolledScreen, MOST_ACCOUNTS, MOST_SCREENS, MOST_SEALED};
use crate::record::SecurityEvent;
use crate::request::{AccountError, Answer, Manage};
use crate::rules::account::Account;
use crate::service::{AccountService, BREAK_GLASS_ACCOUNT, entropy, factor_word, is_of_people};

// === impl AccountService ===

impl AccountService {
    pub(crate) async fn manage(&mut self, what: Manage, acting: Acting) -> Result<Answer, AccountError> {
        match what {
            Manage::Add { id, person, roles } => {
                let (account, code) = self.added(&id, person.clone(), roles)?;
                let before = self.directory.clone();
                let roles = account.roles.clone();
                self.directory.accounts.insert(id.clone(), account);
                let changes = self.account_document(&id).into_iter().collect();
                let event = SecurityEvent::Added { account: id.clone(), roles, person, acting };
                self.keep_or_undo(changes, event, before).await?;
                Ok(Answer::Code(code, id))
            }
            Manage::Reset(id) => {
                let (before, entropy, wall) = (self.directory.clone(), entropy()?, self.wall());
                let code = self.known(&id)?.reset(entropy, wall);
                self.change(id.clone(), "reset", acting, before).await?;
                Ok(Answer::Code(code, id))
            }
            Manage::Disable(id) => {
                let before = self.directory.clone();
                self.known(&id)?.is_disabled = true;
                self.change(id, "disabled", acting, before).await
            }
            Manage::Enable(id) => {
                let before = self.directory.clone();
                self.known(&id)?.is_disabled = false;
                self.change(id, "enabled", acting, before).await
            }
            Manage::Screen { id, room, views } => self.screen(id, room, views, acting).await,
            Manage::RemoveScreen(id) => {
                if self.directory.screens.remove(&id).is_none() {
                    return Err(AccountError::Unknown(format!("there is no screen {id}")));
                }
                self.screen_changed(id, "removed", acting).await;
                Ok(Answer::Done)
            }
            Manage::Seal(count) => self.seal(count, acting).await,
        }
    }

    fn added(
        &self,
        id: &Id,
        person: Option<Id>,
        roles: Vec<crate::rules::role::Role>,
    ) -> Result<(Account, String), AccountError> {
        let conflict = |why: String| Err(AccountError::Conflict(why));
        if self.directory.accounts.contains_key(id) || id.as_str() == BREAK_GLASS_ACCOUNT {
            return conflict(format!(
                "账号已存在 account {id} exists; `linli users reset {id}` gives it a new code"
            ));
        }
        if self.directory.accounts.len() >= MOST_ACCOUNTS {
            return conflict(format!("there are {MOST_ACCOUNTS} accounts, which is the most"));
        }
        if !is_of_people(&roles) {
            return Err(AccountError::Invalid(
                "an account needs at least one role of people; see docs/accounts.md".to_owned(),
            ));
        }
        if let Some(other) = person.as_ref().and_then(|person| self.directory.of_person(person)) {
            return conflict(format!("account {} belongs to that person; nobody has two", other.id));
        }
        Ok(Account::new(id.clone(), person, roles, entropy()?, self.wall()))
    }

    fn known(&mut self, id: &Id) -> Result<&mut Account, AccountError> {
        let unknown = || {
            AccountError::Unknown(format!(
                "没有此账号 there is no account {id}; `linli users list` shows them"
            ))
        };
        self.directory.accounts.get_mut(id).ok_or_else(unknown)
    }

    /// Stores a changed account. What takes something away holds although it could not be stored; its sessions end
    /// first.
    async fn change(
        &mut self,
        id: Id,
        what: &str,
        acting: Acting,
        before: crate::directory::Directory,
    ) -> Result<Answer, AccountError> {
        let is_given = what == "enabled";
        let ended = match is_given {
            true => Vec::new(),
            false => self.revoke(|session| session.account == id),
        };
        let mut changes: Vec<_> = self.account_document(&id).into_iter().collect();
        changes.push(self.session_document());
        let event = SecurityEvent::Changed { account: id, what: what.to_owned(), acting };
        if is_given {
            self.keep_or_undo(changes, event, before).await?;
            return Ok(Answer::Done);
        }
        let mut events = vec![event];
        events.extend(ended);
        let kept = self.keep(changes, events, Vec::new()).await;
        kept.map(|()| Answer::Done).map_err(|error| {
            AccountError::NotNow(format!(
                "it holds now, but could not be stored ({error}) and ends with a restart: try again"
            ))
        })
    }

    async fn screen(
        &mut self,
        id: Id,
        room: Id,
        views: Vec<String>,
        acting: Acting,
    ) -> Result<Answer, AccountError> {
        let is_new = !self.directory.screens.contains_key(&id);
        if is_new && self.directory.screens.len() >= MOST_SCREENS {
            return Err(AccountError::Conflict(format!(
                "there are {MOST_SCREENS} screens, which is the most"
            )));
        }
        let (screen, code) = EnrolledScreen::new(id.clone(), room, views, entropy()?, self.wall());
        self.directory.screens.insert(id.clone(), screen);
        self.screen_changed(id.clone(), "code issued", acting).await;
        Ok(Answer::Code(code, id))
    }

    /// The sessions at a screen end with what it was.
    async fn screen_changed(&mut self, screen: Id, what: &str, acting: Acting) {
        let ended = self.revoke(|session| session.screen.as_ref() == Some(&screen));
        let changes = vec![self.screen_document(), self.session_document()];
        let mut events = vec![SecurityEvent::Screen { screen, what: what.to_owned(), acting: Some(acting) }];
        events.extend(ended);
        let _ = self.keep(changes, events, Vec::new()).await;
    }

    async fn seal(&mut self, count: usize, acting: Acting) -> Result<Answer, AccountError> {
        if !(1..=MOST_SEALED).contains(&count) {
            return Err(AccountError::Invalid(format!("between 1 and {MOST_SEALED} codes")));
        }
        let before = self.directory.clone();
        let entropy = (0..count).map(|_| entropy()).collect::<Result<Vec<_>, AccountError>>()?;
        let codes = self.directory.seal(&entropy);
        let changes = vec![self.sealed_document()];
        self.keep_or_undo(changes, SecurityEvent::Sealed { count, acting }, before).await?;
        Ok(Answer::Codes(codes))
    }

    /// Accounts, screens and sealed codes, without anything secret.
    pub(crate) fn list(&self) -> Value {
        let wall = self.wall();
        let account = |account: &Account| {
            let sessions = self.sessions.values().filter(|live| live.session.account == account.id).count();
            json!({
                "account": account.id, "person": account.person, "roles": account.roles,
                "state": account.standing(wall), "login": factor_word(account.factor()), "sessions": sessions,
            })
        };
        let screen = |screen: &EnrolledScreen| json!({"screen": screen.id, "room": screen.room, "views": screen.views, "enrolled": screen.is_enrolled()});
        let accounts: Vec<Value> = self.directory.accounts.values().map(account).collect();
        let screens: Vec<Value> = self.directory.screens.values().map(screen).collect();
        let unused = self.directory.sealed.iter().filter(|sealed| sealed.used.is_none()).count();
        json!({"accounts": accounts, "screens": screens, "break_glass": {"unused": unused}})
    }
}
