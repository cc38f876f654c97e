# A store of objects in a scenario: moto's server on a free port, filled by curl, ended by its id. Sourced after lib.sh.
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
export AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=a-secret-that-nobody-may-see AWS_EC2_METADATA_DISABLED=true
moto=
trap '[ -z "$moto" ] || kill -9 "$moto" 2>/dev/null' EXIT

# moto: sets s3, where it answers
moto() {
    local deadline=$((SECONDS + 120))
    for tool in moto_server curl; do
        command -v "$tool" >/dev/null || { echo "$tool is not installed" >&2 && exit 77; }
    done
    moto_server -H 127.0.0.1 -p 0 >"$TMP/moto.log" 2>&1 &
    moto=$!
    until s3=$(sed -n 's/.*Running on \(http:[^ ]*\).*/\1/p' "$TMP/moto.log") && [ -n "$s3" ]; do
        kill -0 "$moto" 2>/dev/null || die "moto does not start: $(cat "$TMP/moto.log")"
        [ "$SECONDS" -lt "$deadline" ] || die "moto does not start in time"
    done
    export WEIR_S3_ENDPOINT=$s3
}

bucket() { curl -sS -X PUT "$s3/$1" >/dev/null || die "no bucket"; }

# encoded PATH: as it stands in a URL
encoded() {
    local i c
    for ((i = 0; i < ${#1}; i++)); do
        c=${1:i:1}
        case $c in [A-Za-z0-9._~/-]) printf %s "$c" ;; *) printf %s "$c" | od -An -v -tx1 | tr -d '\n' | tr ' ' % ;; esac
    done
}

# put BUCKET FOLDER: all files of it under their names, in the order of their time
put() {
    local files=() f
    while IFS= read -r f; do files+=(-T "$2/$f" "$s3/$1/$(encoded "$f")"); done < <(cd "$2" && find . -type f -printf '%P\n' | sort)
    curl -sS --path-as-is "${files[@]}" >/dev/null || die "cannot fill the bucket"
}

# asked WHAT: requests of that kind (LIST, GET) that the server has had since the last call
asked() {
    local all
    all=$(grep -a -c "\"GET [^ ]*$([ "$1" = LIST ] && echo 'list-type=2' || echo '\.log\.gz')" "$TMP/moto.log")
    local before="asked_$1"
    echo $((all - ${!before:-0}))
}

# forget: begin to count requests anew
forget() {
    export asked_LIST=0 asked_GET=0
    export asked_LIST asked_GET
    asked_LIST=$(asked LIST) asked_GET=$(asked GET)
}

# sqs ACTION JSON: ask the queue service
sqs() {
    curl -sS "$s3/" -H "X-Amz-Target: AmazonSQS.$1" -H 'Content-Type: application/x-amz-json-1.0' -d "$2" \
        -H 'Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0'
}

# queue NAME BUCKET: a queue that is told what comes into the bucket; sets WEIR_S3_QUEUE
queue() {
    sqs CreateQueue "{\"QueueName\":\"$1\"}" >"$TMP/queue.json"
    curl -sS -X PUT "$s3/$2?notification" -H 'Content-Type: application/xml' -d "<NotificationConfiguration><QueueConfiguration><Id>i</Id><Queue>arn:aws:sqs:us-east-1:123456789012:$1</Queue><Event>s3:ObjectCreated:*</Event></QueueConfiguration></NotificationConfiguration>" >"$TMP/notification.out"
    export WEIR_S3_QUEUE=$s3/123456789012/$1
}

# messages: that lie in the queue, seen or not
messages() {
    sqs GetQueueAttributes "{\"QueueUrl\":\"$WEIR_S3_QUEUE\",\"AttributeNames\":[\"All\"]}" |
        grep -o '"ApproximateNumberOfMessages\(NotVisible\)\?": *"[0-9]*"' | grep -o '[0-9]*' | awk '{ n += $1 } END { print n + 0 }'
}
