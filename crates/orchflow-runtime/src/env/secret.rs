//! What is a secret: by the name of a variable, and by the shape of its value.

/// Whether a variable of this name is there to hold a secret.
pub(super) fn has_name_of_one(name: &str) -> bool {
    const ANYWHERE: [&str; 12] = [
        "KEY",
        "TOKEN",
        "SECRET",
        "PASSWORD",
        "PASSWD",
        "PASSPHRASE",
        "CREDENTIAL",
        "PRIVATE",
        "COOKIE",
        "AUTHORIZATION",
        "CONNECTION_STRING",
        "CONNSTR",
    ];
    // `SSH_AUTH_SOCK` and `PASSIVE` are none of these.
    const LAST: [&str; 5] = ["DSN", "PWD", "PASS", "PAT", "AUTH"];
    let upper = name.to_ascii_uppercase();
    let last = upper.rsplit('_').next().unwrap_or(&upper);
    let is_folder = upper == "PWD";
    ANYWHERE.iter().any(|word| upper.contains(word)) || LAST.contains(&last) && !is_folder
}

/// Whether a value has credentials in it, whatever its variable is called.
pub(super) fn is_in(value: &str) -> bool {
    value.match_indices("://").any(|(at, _)| has_credentials(value, at))
        || has_password_field(value)
        || value.contains("PRIVATE KEY-----")
}

/// `scheme://user:password@host`, and for the web `scheme://token@host`.
fn has_credentials(value: &str, at: usize) -> bool {
    let scheme = value[..at].rsplit(|letter: char| !letter.is_ascii_alphanumeric()).next();
    let rest = &value[at + 3..];
    let ends = |letter: char| "/?#\"'`<>,;".contains(letter) || letter.is_whitespace();
    let authority = &rest[..rest.find(ends).unwrap_or(rest.len())];
    let Some((user, _)) = authority.rsplit_once('@') else { return false };
    let web = scheme.is_some_and(|scheme| matches!(scheme, "http" | "https"));
    web || user.split_once(':').is_some_and(|(_, password)| !password.is_empty())
}

/// `host=db;Password=x`, `jdbc:…?user=me&password=x`.
fn has_password_field(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let fields = lower.split([';', '?', '&', ' ']).filter_map(|field| field.split_once('='));
    let is_one = |(name, given): (&str, &str)| {
        matches!(name, "password" | "passwd" | "pwd") && !given.is_empty()
    };
    fields.into_iter().any(is_one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_known_and_those_that_only_sound_like_it_pass() {
        for held in [
            "PGPASSWORD",
            "MYSQL_PWD",
            "SENTRY_DSN",
            "DSN",
            "db_pass",
            "GH_PAT",
            "NPM_CONFIG__AUTH",
            "GPG_PASSPHRASE",
            "AZURE_STORAGE_CONNECTION_STRING",
        ] {
            assert!(has_name_of_one(held), "{held}");
        }
        for passed in ["PWD", "OLDPWD", "SSH_AUTH_SOCK", "XAUTHORITY", "PATH", "DATABASE_URL"] {
            assert!(!has_name_of_one(passed), "{passed}");
        }
    }

    #[test]
    fn credentials_in_a_value_are_found_whatever_its_variable_is_called() {
        for held in [
            "postgres://me:secret@localhost:5432/db",
            "redis://:secret@cache",
            "mongodb+srv://a:b@c/d?x=y",
            "first http://plain.org then amqp://me:p@host",
            "https://ghp_x@github.com/a/b",
            "http://me:p@proxy:3128",
            "host=db user=me password=secret",
            "Server=db;Database=x;Pwd=secret;",
            "jdbc:postgresql://db/x?user=me&password=secret",
            "-----BEGIN RSA PRIVATE KEY-----",
        ] {
            assert!(is_in(held), "{held}");
        }
        for passed in [
            "",
            "/usr/bin:/bin",
            "http://localhost:4873/@scope/package",
            "https://example.org/?q=a@b:c",
            "ssh://git@github.com/a/b",
            "unix:path=/run/user/1000/bus",
            "me:secret@host",
            "postgres://localhost/db?sslmode=require",
        ] {
            assert!(!is_in(passed), "{passed}");
        }
    }
}
