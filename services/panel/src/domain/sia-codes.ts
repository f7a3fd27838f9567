/**
 * SIA format event codes (SIA DC-03-1990.01 R2003.10, annex A) with plain names. The last column says what the number
 * behind the code is: zone (nothing), U user, A area, D door, N nothing known.
 */
import type { Category } from './report.ts';

export type SiaCode = {
  name: string;
  category: Category;
  numberIs: 'zone' | 'user' | 'area' | 'door' | 'other';
};

const rows = `
AA|Alarm, panel substitution|alarm|N
AB|Abort|event|U
AN|Analog restored|event
AR|Mains power restored|restored|N
AS|Analog service|trouble
AT|Mains power lost|trouble|N
BA|Burglary alarm|alarm
BB|Burglary zone bypassed|event
BC|Burglary alarm cancelled|event|U
BD|Swinger trouble|trouble
BE|Swinger trouble restored|restored
BG|Unverified burglary event|alarm
BH|Burglary alarm restored|restored
BJ|Burglary trouble restored|restored
BM|Burglary alarm, cross point|alarm
BR|Burglary zone restored|restored
BS|Burglary supervisory|trouble
BT|Burglary trouble|trouble
BU|Burglary zone unbypassed|event
BV|Burglary verified|alarm|A
BX|Burglary test|test
BZ|Burglary zone missing supervision|trouble
CA|Automatic closing|closed|A
CD|System closed automatically, late|closed|A
CE|Closing time extended|event|U
CF|Forced closing|closed|U
CG|Area closed|closed|A
CI|Failed to close|trouble|A
CJ|Late closing|closed|U
CK|Early closing|closed|U
CL|Closed|closed|U
CM|Missing alarm, soon after closing|event|U
CO|Command sent|event|N
CP|Automatic closing|closed|U
CQ|Remote closing|closed|U
CR|Alarm soon after closing|event|U
CS|Keyswitch closing|closed|N
CT|Late to open|trouble|A
CW|Was force armed|event|A
CX|Custom function executed|event|N
CZ|Point closed|event
DA|Card assigned|event|U
DB|Card deleted|event|U
DC|Access closed|event|D
DD|Access denied|event|D
DE|Request to enter|event|D
DF|Door forced|alarm|D
DG|Access granted|event|D
DH|Door left open, restored|restored|D
DI|Access denied, passback|event|D
DJ|Door forced, trouble|trouble|D
DK|Access lockout|event|D
DL|Door left open alarm|alarm|D
DM|Door left open trouble|trouble|D
DN|Door left open, no alarm|event|D
DO|Access open|event|D
DP|Access denied, wrong time|event|D
DQ|Access denied, not armed|event|D
DR|Door restored|restored|D
DS|Door station|event|D
DT|Access trouble|trouble|D
DU|Dealer id|event|N
DV|Access denied, level not allowed|event|D
DW|Access denied, interlocked|event|D
DX|Request to exit|event|D
DY|Door locked|event|D
DZ|Door access closed|event|D
EA|Exit alarm|alarm
EE|Exit error|event|U
EJ|Expansion tamper restored|restored|N
EM|Expansion device missing|trouble|N
EN|Expansion device missing, restored|restored|N
ER|Expansion device restored|restored|N
ES|Expansion device tamper|tamper|N
ET|Expansion device trouble|trouble|N
EX|External device condition|event|N
EZ|Missing alarm, exit error|event
FA|Fire alarm|fire
FB|Fire zone bypassed|event
FC|Fire alarm cancelled|event
FG|Unverified fire event|fire
FH|Fire alarm restored|restored
FI|Fire test begun|test|A
FJ|Fire trouble restored|restored
FK|Fire test ended|test|A
FL|Fire alarm silenced|event
FM|Fire alarm, cross point|fire
FQ|Fire supervisory trouble restored|restored
FR|Fire zone restored|restored
FS|Fire supervisory|trouble
FT|Fire trouble|trouble
FU|Fire zone unbypassed|event
FV|Fire supervision restored|restored
FW|Fire supervisory, water|trouble
FX|Fire test|test
FY|Missing fire trouble|trouble
FZ|Missing fire supervision|trouble
GA|Gas alarm|fire
GB|Gas zone bypassed|event
GH|Gas alarm restored|restored
GJ|Gas trouble restored|restored
GR|Gas zone restored|restored
GS|Gas supervisory|trouble
GT|Gas trouble|trouble
GU|Gas zone unbypassed|event
GX|Gas test|test
HA|Hold-up alarm|panic
HB|Hold-up zone bypassed|event
HH|Hold-up alarm restored|restored
HJ|Hold-up trouble restored|restored
HR|Hold-up zone restored|restored
HS|Hold-up supervisory|trouble
HT|Hold-up trouble|trouble
HU|Hold-up zone unbypassed|event
HX|Hold-up test|test
IA|Equipment failure|trouble|N
IR|Equipment failure restored|restored|N
JA|User code tamper|tamper|A
JD|Date changed|event|U
JH|Holiday changed|event|U
JK|Latch key alert|event|U
JL|Log threshold reached|event|N
JO|Log overflowed|trouble|N
JP|User on premises|event|U
JR|Schedule executed|event|A
JS|Schedule changed|event|U
JT|Time changed|event|U
JV|User code changed|event|U
JX|User code deleted|event|U
JY|User code added|event|U
JZ|User level set|event|U
KA|Heat alarm|fire
KB|Heat zone bypassed|event
KH|Heat alarm restored|restored
KJ|Heat trouble restored|restored
KR|Heat zone restored|restored
KS|Heat supervisory|trouble
KT|Heat trouble|trouble
KU|Heat zone unbypassed|event
KX|Heat test|test
LB|Local program begun|event|N
LD|Local program denied|event|N
LE|Listen-in ended|event|N
LF|Listen-in begun|event|N
LR|Telephone line restored|restored|N
LS|Local program succeeded|event|N
LT|Telephone line trouble|trouble|N
LU|Local program failed|event|N
LX|Local program ended|event|N
MA|Medical alarm|panic
MB|Medical zone bypassed|event
MH|Medical alarm restored|restored
MI|Message|event|N
MJ|Medical trouble restored|restored
MR|Medical zone restored|restored
MS|Medical supervisory|trouble
MT|Medical trouble|trouble
MU|Medical zone unbypassed|event
MX|Medical test|test
NA|No activity|trouble
NC|Network condition|event|N
ND|Network condition resumed|event|N
NF|Perimeter armed by force|closed_part|A
NL|Perimeter armed|closed_part|A
NM|Perimeter armed, user defined|closed_part|A
NP|Perimeter armed part|closed_part|A
NR|Network link restored|restored|N
NS|Activity resumed|restored
NT|Network link failed|trouble|N
OA|Automatic opening|opened|A
OC|Opening cancelled|event|U
OG|Area opened|opened|A
OH|Early to open from alarm|opened|U
OI|Failed to open|trouble|A
OJ|Late opening|opened|U
OK|Early opening|opened|U
OL|Late to open from alarm|opened|U
OP|Opened|opened|U
OQ|Remote opening|opened|U
OR|Disarmed after alarm|opened|U
OS|Keyswitch opening|opened|N
OT|Late to close|trouble|U
OU|Output state trouble|trouble|N
OV|Output state restored|restored|N
OZ|Point opened|event
PA|Panic alarm|panic
PB|Panic zone bypassed|event
PH|Panic alarm restored|restored
PJ|Panic trouble restored|restored
PR|Panic zone restored|restored
PS|Panic supervisory|trouble
PT|Panic trouble|trouble
PU|Panic zone unbypassed|event
PX|Panic test|test
QA|Emergency alarm|panic
QB|Emergency zone bypassed|event
QH|Emergency alarm restored|restored
QJ|Emergency trouble restored|restored
QR|Emergency zone restored|restored
QS|Emergency supervisory|trouble
QT|Emergency trouble|trouble
QU|Emergency zone unbypassed|event
QX|Emergency test|test
RA|Remote programmer call failed|trouble|N
RB|Remote program begun|event|N
RC|Relay closed|event|N
RD|Remote program denied|event|N
RN|Remote reset|event|N
RO|Relay opened|event|N
RP|Automatic test|test|N
RR|Power up|event|N
RS|Remote program succeeded|event|N
RT|Data lost|trouble|N
RU|Remote program failed|event|N
RX|Manual test|test|U
RY|Test off normal|test|N
SA|Sprinkler alarm|fire
SB|Sprinkler zone bypassed|event
SC|Change of state|event
SH|Sprinkler alarm restored|restored
SJ|Sprinkler trouble restored|restored
SR|Sprinkler zone restored|restored
SS|Sprinkler supervisory|trouble
ST|Sprinkler trouble|trouble
SU|Sprinkler zone unbypassed|event
SX|Sprinkler test|test
TA|Tamper alarm|tamper
TB|Tamper zone bypassed|event
TC|All points tested|test|N
TE|Test ended|test|U
TH|Tamper alarm restored|restored
TJ|Tamper trouble restored|restored
TP|Walk test point|test
TR|Tamper restored|restored
TS|Test started|test|U
TT|Tamper trouble|tamper
TU|Tamper zone unbypassed|event
TW|Area watch begun|event|N
TX|Test report|test|N
TZ|Area watch ended|event|N
UA|Untyped zone alarm|alarm
UB|Untyped zone bypassed|event
UG|Unverified untyped alarm|alarm
UH|Untyped alarm restored|restored
UJ|Untyped trouble restored|restored
UR|Untyped zone restored|restored
US|Untyped zone supervisory|trouble
UT|Untyped zone trouble|trouble
UU|Untyped zone unbypassed|event
UX|Undefined|event
UY|Untyped missing trouble|trouble
UZ|Untyped missing alarm|alarm
VI|Printer paper in|event|N
VO|Printer paper out|trouble|N
VR|Printer restored|restored|N
VT|Printer trouble|trouble|N
VX|Printer test|test|N
VY|Printer on line|event|N
VZ|Printer off line|trouble|N
WA|Water alarm|alarm
WB|Water zone bypassed|event
WH|Water alarm restored|restored
WJ|Water trouble restored|restored
WR|Water zone restored|restored
WS|Water supervisory|trouble
WT|Water trouble|trouble
WU|Water zone unbypassed|event
WX|Water test|test
XA|Extra account report|event|N
XE|Extra point|trouble
XF|Extra radio point|trouble
XH|Radio interference restored|restored|N
XI|Sensor reset|event
XJ|Radio receiver tamper restored|restored|N
XL|Low radio signal|trouble
XM|Missing alarm, cross point|alarm
XQ|Radio interference|tamper|N
XR|Transmitter battery restored|restored
XS|Radio receiver tamper|tamper|N
XT|Transmitter battery low|trouble
XW|Forced point|event
XX|Fail to test|trouble
YA|Bell fault|trouble|N
YB|Busy seconds|event|N
YC|Communication failed|trouble|N
YD|Receiver line card trouble|trouble|N
YE|Receiver line card restored|restored|N
YF|Parameter checksum bad|trouble|N
YG|Parameter changed|event|N
YH|Bell restored|restored|N
YI|Power supply overcurrent|trouble|N
YJ|Overcurrent restored|restored|N
YK|Communication restored|restored|N
YM|System battery missing|trouble|N
YN|Invalid report|event|N
YO|Unknown message|event|N
YP|Power supply trouble|trouble|N
YQ|Power supply restored|restored|N
YR|System battery restored|restored|N
YS|Communication trouble|trouble|N
YT|System battery low|trouble|N
YU|Diagnostic error|trouble|N
YW|Watchdog reset|trouble|N
YX|Service required|trouble|N
YY|Status report|event|N
YZ|Service completed|event|N
ZA|Freeze alarm|alarm
ZB|Freeze zone bypassed|event
ZH|Freeze alarm restored|restored
ZJ|Freeze trouble restored|restored
ZR|Freeze zone restored|restored
ZS|Freeze supervisory|trouble
ZT|Freeze trouble|trouble
ZU|Freeze zone unbypassed|event
ZX|Freeze test|test
`;

const numberKinds: Record<string, SiaCode['numberIs']> = { U: 'user', A: 'area', D: 'door', N: 'other' };

export const siaCodes: ReadonlyMap<string, SiaCode> = new Map(
  rows
    .trim()
    .split('\n')
    .map((row) => {
      const [code = '', name = '', category = 'event', numberIs = ''] = row.split('|');
      return [
        code,
        { name, category: category as Category, numberIs: numberKinds[numberIs] ?? 'zone' },
      ] as const;
    }),
);
