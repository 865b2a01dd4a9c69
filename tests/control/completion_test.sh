#!/usr/bin/env bash
# What bash offers for l4wardctl's words: completion_test.sh BIN SOCKET, with an agent on SOCKET.
set -u
bin=$1
socket=$2
cd "$(dirname "$0")/../.." || exit 2
PATH=$bin:$PATH
# shellcheck source=/dev/null
. packaging/bash-completion/l4wardctl

failed=0
# expect "WORDS OFFERED" WORD...: the last word is the one that is completed.
expect() {
    local expected=$1
    shift
    COMP_WORDS=(l4wardctl --socket "$socket" "$@")
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _l4wardctl
    if [ "${COMPREPLY[*]}" != "$expected" ]; then
        printf 'l4wardctl %s: offered "%s", expected "%s"\n' "$*" "${COMPREPLY[*]}" "$expected"
        failed=1
    fi
}

expect 'status' sta
expect 'drain' dr
expect 'node vip service server' drain ''
expect 'lb7-1 lb7-2 lb7-3' disable server lb7
expect 'edge/lb7-1 edge/lb7-2 edge/lb7-3' drain server edge/
expect 'web' drain service ''
expect '198.51.100.1' drain vip 198
expect '2001:db8::c633:6401' drain vip 2001
# As readline gives it, broken at colons: only the rest is to be put in.
expect 'c633:6401' drain vip 2001 : db8 :: c6
expect '--wait' drain server lb7-1 --w
expect '--pool' servers --po
expect 'edge' servers --pool ''
expect 'lb7-2' checks --server lb7-2
expect 'auto always never' status --color ''
expect '' status sta
expect 'status' help st
expect 'import' im
expect '--config-id' import --con
expect 'Makefile' import Makef

socket=/nonexistent
expect '' drain server ''
expect 'status' sta
exit "$failed"
