#!/usr/bin/env bats
# compose/install/pki.sh: the box's CA and what it signs.

setup() {
  PKI="$BATS_TEST_DIRNAME/../../compose/install/pki.sh"
  DIR=$BATS_TEST_TMPDIR/pki
}

@test "issues a CA, a server certificate with names and addresses, and a client certificate by its name" {
  bash "$PKI" ca "$DIR"
  bash "$PKI" server "$DIR" front --san box.local,10.0.0.1,fd00::1
  bash "$PKI" client "$DIR" device-1
  openssl verify -CAfile "$DIR/ca.crt" -crl_check -CRLfile "$DIR/crl.pem" "$DIR/front.crt" "$DIR/device-1.crt"
  openssl x509 -in "$DIR/front.crt" -noout -checkhost box.local | grep -q 'does match'
  openssl x509 -in "$DIR/front.crt" -noout -checkip fd00::1 | grep -q 'does match'
  [ "$(openssl x509 -in "$DIR/device-1.crt" -noout -subject -nameopt multiline | sed -n 's/ *commonName *= //p')" = device-1 ]
}

@test "leaves good certificates alone" {
  for _ in 1 2; do
    bash "$PKI" ca "$DIR"
    bash "$PKI" server "$DIR" front --san box.local,fd00::1,fd00:0:1::a
    sums+=("$(cat "$DIR"/* | sha256sum)")
  done
  [ "${sums[0]}" = "${sums[1]}" ]
}

@test "issues a server certificate anew for other names, with the same key" {
  bash "$PKI" ca "$DIR"
  bash "$PKI" server "$DIR" front --san box.local
  key=$(cat "$DIR/front.key")
  bash "$PKI" server "$DIR" front --san box.local,10.0.0.9
  openssl x509 -in "$DIR/front.crt" -noout -checkip 10.0.0.9 | grep -q 'does match'
  [ "$key" = "$(cat "$DIR/front.key")" ]
}

@test "a server certificate lives at most 397 days, as phones demand" {
  bash "$PKI" ca "$DIR"
  bash "$PKI" server "$DIR" front --san box.local
  start=$(date -d "$(openssl x509 -in "$DIR/front.crt" -noout -startdate | cut -d= -f2)" +%s)
  end=$(date -d "$(openssl x509 -in "$DIR/front.crt" -noout -enddate | cut -d= -f2)" +%s)
  [ $(((end - start) / 86400)) -le 397 ]
}

@test "a constrained CA signs nothing outside of its names" {
  bash "$PKI" ca "$DIR" --permit box.example.org,10.0.0.0/8
  bash "$PKI" server "$DIR" good --san box.example.org,10.1.2.3
  run bash "$PKI" server "$DIR" bad --san example.com
  [ "$status" -ne 0 ]
  [ ! -e "$DIR/bad.crt" ]
  run bash "$PKI" server "$DIR" bad --san 8.8.8.8
  [ "$status" -ne 0 ]
}

@test "half a CA stops everything, loudly" {
  bash "$PKI" ca "$DIR"
  rm "$DIR/ca.key"
  run bash "$PKI" ca "$DIR"
  [ "$status" -ne 0 ]
  [[ $output == *'half a CA'* ]]
}

@test "names that are no names are refused" {
  bash "$PKI" ca "$DIR"
  run bash "$PKI" client "$DIR" 'a/b'
  [ "$status" -ne 0 ]
  run bash "$PKI" server "$DIR" front --san 'box,"; extra'
  [ "$status" -ne 0 ]
}
