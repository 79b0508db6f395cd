//! CAM users of an account.

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{SWITCH, account};
use crate::{
    cloud::{
        self,
        management::{self, NewUser, UserChange, UserDetail},
        password,
    },
    store::PageRequest,
    tc3::CommonCode,
    web::api::{
        actions::action_on,
        call::{Action, Answer, Call, object},
        fields::{Field, PARAM_ERROR, Rule},
        refusal::Refusal,
        shape::time,
        subject::Subject,
    },
};

const NAME: Field = Field::text("Name").required();
const REMARK: Field = Field::text("Remark");
const CONSOLE_LOGIN: Field = Field::unsigned("ConsoleLogin").rule(SWITCH);
const PASSWORD: Field = Field::text("Password");
const NEED_RESET: Field = Field::unsigned("NeedResetPassword").rule(SWITCH);
const PHONE: Field = Field::text("PhoneNum");
const COUNTRY: Field = Field::text("CountryCode");
const EMAIL: Field = Field::text("Email");
/// So many users are told at once; an account has not more unless a user sync made them.
const MOST: i64 = 10_000;

pub const ACTIONS: &[Action] = &[
    action_on(
        "AddUser",
        Subject::Everything,
        &[
            NAME,
            REMARK,
            CONSOLE_LOGIN,
            Field::unsigned("UseApi").rule(SWITCH),
            PASSWORD,
            NEED_RESET,
            PHONE,
            COUNTRY,
            EMAIL,
        ],
        |call| Box::pin(add(call)),
    ),
    action_on("GetUser", Subject::UserNamed("Name"), &[NAME], |call| Box::pin(get(call))),
    action_on(
        "UpdateUser",
        Subject::UserNamed("Name"),
        &[NAME, REMARK, CONSOLE_LOGIN, PASSWORD, NEED_RESET, PHONE, COUNTRY, EMAIL],
        |call| Box::pin(update(call)),
    ),
    action_on(
        "DeleteUser",
        Subject::UserNamed("Name"),
        &[NAME, Field::unsigned("Force").rule(SWITCH)],
        |call| Box::pin(delete(call)),
    ),
    action_on("ListUsers", Subject::Everything, &[], |call| Box::pin(list(call))),
    action_on(
        "DescribeSubAccounts",
        Subject::Users("FilterSubAccountUin"),
        &[Field::integers("FilterSubAccountUin").required().rule(Rule::Entries(50))],
        |call| Box::pin(describe(call)),
    ),
    action_on("GetUserAppId", Subject::Everything, &[], |call| Box::pin(app_id(call))),
];

/// Nobody is made to change a password here, so nobody is told so.
fn no_reset(call: &Call) -> Result<(), Refusal> {
    if call.parameters.integer("NeedResetPassword") == Some(1) {
        return Err(Refusal::common(
            CommonCode::UnsupportedOperation,
            "The parameter `NeedResetPassword` is not supported: set another password instead.",
        ));
    }
    Ok(())
}

async fn add(call: &Call) -> Answer {
    no_reset(call)?;
    let parameters = &call.parameters;
    let given = parameters.optional_text("Password");
    let enters = parameters.integer("ConsoleLogin") == Some(1);
    if given.is_some() && !enters {
        return Err(Refusal::new(
            PARAM_ERROR,
            "The parameter `Password` is for users with `ConsoleLogin` 1.",
        ));
    }
    let (hash, told) = if enters {
        let password = management::new_password(given)?;
        let told = if given.is_none() { password.clone() } else { Zeroizing::default() };
        (Some(password::hash(password).await?), told)
    } else {
        (None, Zeroizing::default())
    };
    let key = match parameters.integer("UseApi") {
        Some(1) => Some(cloud::new_access_key(&call.app.sealer)?),
        _ => None,
    };
    let new = NewUser {
        name: parameters.text("Name"),
        remark: parameters.text("Remark"),
        contact: ["PhoneNum", "CountryCode", "Email"].map(|name| parameters.text(name)),
    };
    let user = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let hash = hash.as_deref();
            let user = management::create_user(tx, &call.act, account(call), new, hash).await?;
            if let Some(key) = &key {
                management::create_access_key(tx, &call.act, &user, key, "").await?;
            }
            Ok(user)
        })
        .await?;
    let secret_id = key.as_ref().map_or("", |key| &key.secret_id);
    let secret_key = key.as_ref().map_or("", |key| &key.secret_key);
    Ok(object([
        ("Uin", json!(user.uin)),
        ("Name", json!(user.name)),
        ("Password", json!(*told)),
        ("SecretId", json!(secret_id)),
        ("SecretKey", json!(secret_key)),
        ("Uid", json!(user.uin)),
        ("PhoneNumVerifyLink", json!("")),
    ]))
}

async fn get(call: &Call) -> Answer {
    let found = call
        .app
        .db
        .read(async |tx| {
            management::user_detail(tx, account(call), call.parameters.text("Name")).await
        })
        .await?;
    let Value::Object(mut answer) = info(&found) else { return Ok(object([])) };
    for of_lists in ["CreateTime", "NickName"] {
        answer.remove(of_lists);
    }
    let [address, at] = last_login(&found);
    answer.insert("RecentlyLoginIP".to_owned(), json!(address));
    answer.insert("RecentlyLoginTime".to_owned(), json!(at));
    Ok(answer)
}

fn last_login(detail: &UserDetail) -> [String; 2] {
    [
        detail.last_login_address.clone().unwrap_or_default(),
        detail.last_login_at.map(time).unwrap_or_default(),
    ]
}

/// A user in a list. The numbers of a user and of its account are one and the same kind here.
fn info(detail: &UserDetail) -> Value {
    let user = &detail.user;
    json!({
        "Uin": user.uin,
        "Name": user.name,
        "Uid": user.uin,
        "Remark": user.remark,
        "ConsoleLogin": i64::from(detail.has_password),
        "PhoneNum": detail.phone_number,
        "CountryCode": detail.country_code,
        "Email": detail.email,
        "CreateTime": time(user.created_at),
        "NickName": user.name,
    })
}

/// What is not named stays; an empty text clears what is there.
async fn update(call: &Call) -> Answer {
    no_reset(call)?;
    let parameters = &call.parameters;
    let given = parameters.optional_text("Password");
    let enters = parameters.integer("ConsoleLogin");
    if given.is_some() && enters == Some(0) {
        return Err(Refusal::new(
            "InvalidParameter",
            "The parameter `Password` is for users with `ConsoleLogin` 1.",
        ));
    }
    let hash = match given {
        Some(_) => Some(password::hash(management::new_password(given)?).await?),
        None => None,
    };
    let name = parameters.text("Name");
    call.app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            if enters == Some(1) && hash.is_none() {
                let found = management::user_detail(tx, account(call), name).await?;
                if !found.has_password {
                    return Err(Refusal::new(
                        "InvalidParameter",
                        "The parameter `Password` is missing: the user has none yet.",
                    ));
                }
            }
            let change = UserChange {
                remark: parameters.given_text("Remark"),
                phone_number: parameters.given_text("PhoneNum"),
                country_code: parameters.given_text("CountryCode"),
                email: parameters.given_text("Email"),
                password_hash: match (&hash, enters) {
                    (Some(hash), _) => Some(Some(hash)),
                    (None, Some(0)) => Some(None),
                    (None, _) => None,
                },
            };
            Ok(management::update_user(tx, &call.act, account(call), name, change).await?)
        })
        .await?;
    Ok(object([]))
}

async fn delete(call: &Call) -> Answer {
    let force = call.parameters.integer("Force") == Some(1);
    let name = call.parameters.text("Name");
    call.app
        .db
        .write(async |tx| management::delete_user(tx, &call.act, account(call), name, force).await)
        .await?;
    Ok(object([]))
}

async fn list(call: &Call) -> Answer {
    let page = PageRequest::first(MOST);
    let found = call
        .app
        .db
        .read(async |tx| management::user_details(tx, account(call), page).await)
        .await?;
    let data: Vec<Value> = found.rows.iter().map(info).collect();
    Ok(object([("Data", json!(data))]))
}

async fn describe(call: &Call) -> Answer {
    let uins = call.parameters.integers("FilterSubAccountUin");
    let found = call
        .app
        .db
        .read(async |tx| management::users_by_uin(tx, account(call), &uins).await)
        .await?;
    let accounts: Vec<Value> = found
        .iter()
        .map(|detail| {
            let user = &detail.user;
            let [address, at] = last_login(detail);
            json!({
                "Uin": user.uin,
                "Name": user.name,
                "Uid": user.uin,
                "Remark": user.remark,
                "CreateTime": time(user.created_at),
                "UserType": 2,
                "LastLoginIp": address,
                "LastLoginTime": at,
            })
        })
        .collect();
    Ok(object([("SubAccounts", json!(accounts))]))
}

/// An account of this cloud has one number only, which stands for its AppId too.
#[expect(clippy::unused_async, reason = "a row of the table")]
async fn app_id(call: &Call) -> Answer {
    let owner = account(call);
    let principal = call.caller.principal.identity().principal_id;
    Ok(object([
        ("Uin", json!(principal)),
        ("OwnerUin", json!(owner.to_string())),
        ("AppId", json!(owner)),
    ]))
}
