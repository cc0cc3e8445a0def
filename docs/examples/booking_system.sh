#!/bin/sh
# A booking system's side, in shell with curl and openssl. Read it, and take over what you need.
#
#   booking_system.sh publish BOOKING DEVICE CHECK_IN CHECK_OUT
#   booking_system.sh change  BOOKING DEVICE CHECK_IN CHECK_OUT
#   booking_system.sh cancel  BOOKING
#   booking_system.sh status  BOOKING
#   booking_system.sh pin     BOOKING
#   booking_system.sh verify  WEBHOOK_ID WEBHOOK_TIMESTAMP WEBHOOK_SIGNATURE < BODY     exit 0: the outcome is genuine
#
# From the environment: ORACODE_URL (where `web` is), BOOKING_TOKEN, REVEAL_TOKEN (for `pin`), OUTCOME_SECRET (for
# `verify`: the `whsec_…` of OUTCOME_WEBHOOK_URLS). BOOKING and DEVICE are of letters, digits, `-`, `_` and `.` alone:
# whoever has others encodes them, for JSON in `publish` and for addresses in `status` and `pin`.
set -eu

# The token comes from a file that only curl reads: on the command line everybody on this machine could see it.
call() { # METHOD PATH TOKEN [BODY]
    printf 'header = "authorization: Bearer %s"\n' "$3" |
        curl --silent --show-error --fail-with-body --max-time 30 --config - \
            --request "$1" --header "content-type: application/json" ${4+--data "$4"} "$ORACODE_URL$2"
}

# The same id again changes nothing, so repeat it where no answer came. There is no revision: the order of arrival
# counts. So send the messages of one booking one after the other, each once the one before it is answered. If your
# system counts revisions, give them: then the highest wins.
publish() { # KIND BOOKING [FIELDS]
    call POST /bookings "$BOOKING_TOKEN" "{\"specversion\": \"1.0\", \"id\": \"$(openssl rand -hex 16)\",
        \"source\": \"/pms/example\", \"type\": \"booking.$1\", \"data\": {\"booking_id\": \"$2\"${3-}}}"
}

stay() { # DEVICE CHECK_IN CHECK_OUT
    printf ', "device_ids": ["%s"], "check_in": "%s", "check_out": "%s"' "$1" "$2" "$3"
}

# Standard Webhooks: HMAC-SHA256 over id.timestamp.body, at most five minutes old.
verify() { # WEBHOOK_ID WEBHOOK_TIMESTAMP WEBHOOK_SIGNATURE < BODY
    case $2 in "" | *[!0-9]*) return 1 ;; esac
    age=$(($(date +%s) - $2))
    [ "$age" -le 300 ] && [ "$age" -ge -300 ] || return 1
    key=$(printf %s "${OUTCOME_SECRET#whsec_}" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')
    right=$({ printf '%s.%s.' "$1" "$2" && cat; } | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary |
        openssl base64 -A)
    for shown in $3; do
        [ "$shown" = "v1,$right" ] && return 0
    done
    return 1
}

case ${1-} in
    publish) publish created "$2" "$(stay "$3" "$4" "$5")" ;;
    change) publish updated "$2" "$(stay "$3" "$4" "$5")" ;;
    cancel) publish cancelled "$2" ;;
    status) call GET "/bookings/$2" "$BOOKING_TOKEN" ;;
    pin) call POST "/bookings/$2/reveal" "$REVEAL_TOKEN" '{"by": "example"}' ;;
    verify) verify "$2" "$3" "$4" ;;
    *)
        sed -n '4,9s/^# *//p' "$0" >&2
        exit 1
        ;;
esac
