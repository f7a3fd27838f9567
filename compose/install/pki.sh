#!/usr/bin/env bash
# The box's certificates, by openssl alone: the box CA (which is the device CA too), server and client certificates, the CRL.
# Must stay true: a private key is never readable by others, never overwritten while its certificate is good, and every
# file appears whole (written beside, then moved). EC P-256 throughout: small, and every phone and controller speaks it.
set -eEuo pipefail
umask 077

# Ten years: phones and devices trust this CA by hand, so its change is a visit to each of them.
readonly CA_DAYS=3650
# 397 days: browsers and Apple's platforms refuse server certificates that live longer than 398.
readonly LEAF_DAYS=397
# What only our own services hold ends with the CA: no browser looks at it, and a revocation reaches it at once.
readonly SERVICE_DAYS=3640
# A certificate that ends within this many days is issued anew; a box that was off for a month still comes back good.
readonly RENEW_DAYS=30
# Certificates begin this long ago: a phone or controller whose clock is behind still accepts one made just now.
readonly BACKDATE_DAYS=1

usage() {
  cat <<'TEXT'
pki.sh: certificates of a Siphera box

  pki.sh ca DIR [--name TEXT] [--permit LIST]   make DIR/ca.crt, ca.key and an empty crl.pem; leaves what is there
  pki.sh server DIR NAME --san LIST             make DIR/NAME.crt, NAME.key for a TLS server
  pki.sh client DIR CN                          make DIR/CN.crt, CN.key for a TLS client
  pki.sh internal DIR NAME --san LIST           the same for both ends (services that talk by mTLS)
  pki.sh crl DIR                                write an empty DIR/crl.pem when there is none
  pki.sh due FILE [DAYS]                        exit 0 when the certificate ends within DAYS (default 30), else 1
  pki.sh fingerprint FILE                       SHA-256 of a certificate, as browsers show it

LIST is comma-separated; an entry may be a host name, an IP address, and for --permit a network in CIDR form.
--permit limits the CA to these names and networks (X.509 name constraints): a stolen CA key then signs for this box only.
--out OTHER writes a leaf's files to OTHER in the CA's place.
server, client and internal leave a good certificate alone and issue a new one (same key) when it ends within 30 days,
when the CA changed, or when LIST changed.
TEXT
}

fail() {
  printf 'pki.sh: %s\n' "$*" >&2
  exit 2
}

# One working directory a run, removed at the end, so that openssl's bookkeeping never lies beside the keys.
WORK=''
cleanup() { [[ -z $WORK ]] || rm -rf -- "$WORK"; }
trap cleanup EXIT
trap 'printf "pki.sh: line %s failed: %s\n" "$LINENO" "$BASH_COMMAND" >&2' ERR

workdir() {
  [[ -n $WORK ]] && return
  WORK=$(mktemp -d)
  : >"$WORK/index"
  printf 'unique_subject = no\n' >"$WORK/index.attr"
  printf '01\n' >"$WORK/crlnumber"
}

check_name() {
  [[ $1 =~ ^[A-Za-z0-9._-]{1,64}$ ]] || fail "'$1' is no name for a certificate (letters, digits, . _ - only, at most 64)"
}

is_ip() { [[ $1 =~ ^[0-9]{1,3}(\.[0-9]{1,3}){3}$ || $1 == *:* ]]; }

# 10.0.0.0 and 8 give openssl's form, 10.0.0.0/255.0.0.0.
cidr_netmask() {
  local address=$1 bits=$2 i mask='' step
  if [[ $address == *:* ]]; then
    for ((i = 0; i < 8; i++)); do
      step=$((bits >= 16 ? 16 : bits))
      mask+=$(printf '%x:' $(((0xffff << (16 - step)) & 0xffff)))
      bits=$((bits - step))
    done
  else
    for ((i = 0; i < 4; i++)); do
      step=$((bits >= 8 ? 8 : bits))
      mask+=$(printf '%d.' $(((0xff << (8 - step)) & 0xff)))
      bits=$((bits - step))
    done
  fi
  printf '%s/%s' "$address" "${mask%?}"
}

# fd00::1 as openssl prints it in a certificate: FD00:0:0:0:0:0:0:1.
expand_ipv6() {
  local address=${1^^} left right missing fill='' i
  if [[ $address == *::* ]]; then
    left=${address%%::*} right=${address#*::}
    missing=$((8 - $(tr -cd ':' <<<"${left:+$left:}${right:+$right:}" | wc -c)))
    for ((i = 0; i < missing; i++)); do fill+=0:; done
    address=${left:+$left:}$fill$right
    address=${address%:}
  fi
  sed -E 's/(^|:)0+([0-9A-F])/\1\2/g' <<<"$address"
}

# The list as openssl writes subject alternative names: sorted, so that it can be compared with a certificate's.
san_list() {
  local entry out=()
  IFS=, read -ra entries <<<"$1"
  for entry in "${entries[@]}"; do
    [[ -n $entry ]] || continue
    [[ $entry =~ ^[A-Za-z0-9.:*_-]+$ ]] || fail "'$entry' is neither a host name nor an address"
    case $entry in
      *:*) out+=("IP:$(expand_ipv6 "$entry")") ;;
      *) if is_ip "$entry"; then out+=("IP:$entry"); else out+=("DNS:${entry,,}"); fi ;;
    esac
  done
  [[ ${#out[@]} -gt 0 ]] || fail 'the list of names (--san) is empty'
  printf '%s\n' "${out[@]}" | sort -u | paste -sd,
}

permit_list() {
  local entry out=()
  IFS=, read -ra entries <<<"$1"
  for entry in "${entries[@]}"; do
    [[ -n $entry ]] || continue
    case $entry in
      */*) out+=("permitted;IP:$(cidr_netmask "${entry%/*}" "${entry#*/}")") ;;
      *:*) out+=("permitted;IP:$entry/ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff") ;;
      *) if is_ip "$entry"; then out+=("permitted;IP:$entry/255.255.255.255"); else out+=("permitted;DNS:${entry,,}"); fi ;;
    esac
  done
  printf '%s\n' "${out[@]}" | sort -u | paste -sd,
}

new_key() {
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.tmp" 2>/dev/null
  mv -f -- "$1.tmp" "$1"
}

# sign DAYS SUBJECT KEY TARGET EXTENSIONS self|CA-DIR: all certificates come through here.
sign() {
  local days=$1 subject=$2 key=$3 target=$4 extensions=$5 issuer=$6 start end
  local -a by
  workdir
  start=$(date -u -d "-$BACKDATE_DAYS day" +%Y%m%d%H%M%SZ)
  end=$(date -u -d "+$((days - BACKDATE_DAYS)) day" +%Y%m%d%H%M%SZ)
  cat >"$WORK/openssl.cnf" <<CONF
[ca]
default_ca = box
[box]
database = $WORK/index
new_certs_dir = $WORK
rand_serial = yes
default_md = sha256
policy = any
crlnumber = $WORK/crlnumber
[any]
organizationName = optional
commonName = supplied
[req]
distinguished_name = dn
prompt = no
[dn]
[ext]
$extensions
CONF
  openssl req -new -config "$WORK/openssl.cnf" -key "$key" -subj "$subject" -out "$WORK/request.pem"
  if [[ $issuer == self ]]; then
    by=(-selfsign -keyfile "$key")
  else
    by=(-cert "$issuer/ca.crt" -keyfile "$issuer/ca.key")
  fi
  openssl ca -batch -notext -config "$WORK/openssl.cnf" -extensions ext "${by[@]}" -startdate "$start" -enddate "$end" \
    -in "$WORK/request.pem" -out "$WORK/cert.pem" 2>"$WORK/log" || {
    cat "$WORK/log" >&2
    fail "openssl did not issue $subject"
  }
  [[ $issuer == self ]] || openssl verify -CAfile "$issuer/ca.crt" "$WORK/cert.pem" >/dev/null 2>"$WORK/log" ||
    fail "the CA of this box may not sign $subject: $(sed -n 's/^error [0-9]* at [^:]*: //p' "$WORK/log")"
  install -m 0644 "$WORK/cert.pem" "$target.tmp"
  mv -f -- "$target.tmp" "$target"
}

make_ca() {
  local dir=$1 name=$2 permit=$3 constraints=''
  mkdir -p -- "$dir"
  if [[ ! -s $dir/ca.crt || ! -s $dir/ca.key ]]; then
    [[ ! -s $dir/ca.crt && ! -s $dir/ca.key ]] || fail "$dir holds half a CA; put the missing file back from a backup"
    [[ -z $permit ]] || constraints="nameConstraints = critical,$(permit_list "$permit")"
    new_key "$dir/ca.key"
    sign "$CA_DAYS" "/O=Siphera/CN=$name" "$dir/ca.key" "$dir/ca.crt" "basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
$constraints" self
  fi
  make_crl "$dir"
}

# Ends with the CA: a broker refuses every device once its CRL is past nextUpdate, so a short life would lock the doors' own
# devices out while nobody looks. Freshness comes from core, which rewrites the file at each revocation.
make_crl() {
  local dir=$1
  [[ -s $dir/crl.pem ]] && return
  workdir
  cat >"$WORK/crl.cnf" <<CONF
[ca]
default_ca = box
[box]
database = $WORK/index
crlnumber = $WORK/crlnumber
default_md = sha256
[crl_ext]
authorityKeyIdentifier = keyid
CONF
  openssl ca -gencrl -batch -config "$WORK/crl.cnf" -crlexts crl_ext -cert "$dir/ca.crt" -keyfile "$dir/ca.key" \
    -crldays "$((CA_DAYS - BACKDATE_DAYS))" -out "$WORK/crl.pem" 2>/dev/null
  install -m 0644 "$WORK/crl.pem" "$dir/crl.pem.tmp"
  mv -f -- "$dir/crl.pem.tmp" "$dir/crl.pem"
}

# Names in a certificate, in san_list's form.
cert_sans() {
  { openssl x509 -in "$1" -noout -ext subjectAltName 2>/dev/null || true; } | sed -n '2,$p' | tr ',' '\n' |
    sed -E 's/^ *//; s/^IP Address:/IP:/; /^$/d' | sort -u | paste -sd,
}

is_due() { ! openssl x509 -in "$1" -noout -checkend "$(($2 * 86400))" >/dev/null 2>&1; }

# True when NAME.crt fits its key, was issued by this CA, is not about to end, and (for servers) names what was asked.
is_good() {
  local dir=$1 leaf=$2 wanted=$3
  [[ -s $leaf.crt && -s $leaf.key ]] || return 1
  ! is_due "$leaf.crt" "$RENEW_DAYS" || return 1
  openssl verify -CAfile "$dir/ca.crt" "$leaf.crt" >/dev/null 2>&1 || return 1
  [[ $(openssl x509 -in "$leaf.crt" -noout -pubkey) == "$(openssl pkey -in "$leaf.key" -pubout)" ]] || return 1
  [[ -z $wanted || $wanted == "$(cert_sans "$leaf.crt")" ]]
}

make_leaf() {
  local dir=$1 name=$2 usage=$3 sans=$4 leaf_home=${5:-$1} days=$LEAF_DAYS leaf wanted=''
  check_name "$name"
  [[ $name != ca ]] || fail "'ca' is taken"
  [[ -s $dir/ca.crt && -s $dir/ca.key ]] || fail "$dir holds no CA (first: pki.sh ca $dir)"
  [[ -z $sans ]] || wanted=$(san_list "$sans")
  mkdir -p -- "$leaf_home"
  leaf=$leaf_home/$name
  if is_good "$dir" "$leaf" "$wanted"; then return; fi
  [[ -s $leaf.key ]] || new_key "$leaf.key"
  [[ $usage != *clientAuth* ]] || days=$SERVICE_DAYS
  sign "$days" "/O=Siphera/CN=$name" "$leaf.key" "$leaf.crt" "basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = $usage
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
${wanted:+subjectAltName = $wanted}" "$dir"
}

main() {
  local command=${1:-help} name='Siphera box CA' permit='' san='' leaf_dir='' args=()
  [[ $# -eq 0 ]] || shift
  while [[ $# -gt 0 ]]; do
    case $1 in
      --name) name=${2:?} && shift 2 ;;
      --permit) permit=${2:?} && shift 2 ;;
      --san) san=${2:?} && shift 2 ;;
      --out) leaf_dir=${2:?} && shift 2 ;;
      -h | --help) usage && return ;;
      -*) fail "unknown option $1 (see pki.sh --help)" ;;
      *) args+=("$1") && shift ;;
    esac
  done
  [[ ! $name =~ [/=,+$'\n'] ]] || fail "the CA's name must not contain / = , +"
  case $command:${#args[@]} in
    ca:1) make_ca "${args[0]}" "$name" "$permit" ;;
    server:2) make_leaf "${args[0]}" "${args[1]}" serverAuth "${san:-${args[1]}}" "$leaf_dir" ;;
    internal:2) make_leaf "${args[0]}" "${args[1]}" serverAuth,clientAuth "${san:-${args[1]}}" "$leaf_dir" ;;
    client:2) make_leaf "${args[0]}" "${args[1]}" clientAuth '' "$leaf_dir" ;;
    crl:1) make_crl "${args[0]}" ;;
    due:1 | due:2) is_due "${args[0]}" "${args[1]:-$RENEW_DAYS}" ;;
    fingerprint:1) openssl x509 -in "${args[0]}" -noout -fingerprint -sha256 | cut -d= -f2 ;;
    help:* | --help:* | -h:*) usage ;;
    *) usage >&2 && exit 2 ;;
  esac
}

main "$@"
