/** Contact ID event codes (SIA DC-05-1999.09, classes 1xx to 6xx) with plain names. `U` after the category: the number names a user, not a zone. */
import type { Category } from './report.ts';

export type ContactIdCode = { name: string; category: Category; numberIs: 'zone' | 'user' };

const rows = `
100|Medical alarm|panic
101|Personal emergency|panic
102|Failed to report in|panic
110|Fire alarm|fire
111|Smoke|fire
112|Combustion|fire
113|Sprinkler water flow|fire
114|Heat|fire
115|Fire alarm pull station|fire
116|Duct smoke|fire
117|Flame|fire
118|Fire alarm near|fire
120|Panic alarm|panic
121|Duress code|duress|U
122|Silent panic alarm|panic
123|Audible panic alarm|panic
124|Duress, access granted|duress|U
125|Duress, egress granted|duress|U
126|Hold-up suspicion print|panic
129|Panic alarm verified|panic
130|Burglary alarm|alarm
131|Perimeter burglary|alarm
132|Interior burglary|alarm
133|24 hour burglary|alarm
134|Entry or exit burglary|alarm
135|Day or night burglary|alarm
136|Outdoor burglary|alarm
137|Tamper alarm|tamper
138|Burglary near alarm|alarm
139|Intrusion verified|alarm
140|General alarm|alarm
141|Polling loop open|tamper
142|Polling loop short|tamper
143|Expansion module failure|tamper
144|Sensor tamper|tamper
145|Expansion module tamper|tamper
146|Silent burglary|alarm
147|Sensor supervision failure|trouble
150|24 hour non-burglary alarm|alarm
151|Gas detected|fire
152|Refrigeration alarm|alarm
153|Loss of heat|alarm
154|Water leakage|alarm
155|Foil break|alarm
156|Day trouble|trouble
157|Low bottled gas level|alarm
158|High temperature|alarm
159|Low temperature|alarm
160|Awareness zone response|event
161|Loss of air flow|alarm
162|Carbon monoxide detected|fire
163|Tank level|alarm
168|High humidity|alarm
169|Low humidity|alarm
200|Fire supervisory|trouble
201|Low water pressure|trouble
202|Low carbon dioxide|trouble
203|Gate valve sensor|trouble
204|Low water level|trouble
205|Pump activated|trouble
206|Pump failure|trouble
300|System trouble|trouble
301|Mains power lost|trouble
302|System battery low|trouble
303|RAM checksum bad|trouble
304|ROM checksum bad|trouble
305|System reset|trouble
306|Panel programming changed|event
307|Self-test failure|trouble
308|System shutdown|trouble
309|Battery test failure|trouble
310|Ground fault|trouble
311|Battery missing or dead|trouble
312|Power supply overcurrent|trouble
313|Engineer reset|event|U
314|Primary power supply failure|trouble
315|System tamper|tamper
316|System box tamper|tamper
317|System trouble, power|trouble
320|Sounder or relay trouble|trouble
321|Bell 1 trouble|trouble
322|Bell 2 trouble|trouble
323|Alarm relay trouble|trouble
324|Trouble relay trouble|trouble
325|Reversing relay trouble|trouble
326|Notification appliance 3 trouble|trouble
327|Notification appliance 4 trouble|trouble
330|System peripheral trouble|trouble
331|Polling loop open|trouble
332|Polling loop short|trouble
333|Expansion module failure|trouble
334|Repeater failure|trouble
335|Local printer out of paper|trouble
336|Local printer failure|trouble
337|Expansion module power lost|trouble
338|Expansion module battery low|trouble
339|Expansion module reset|trouble
341|Expansion module tamper|tamper
342|Expansion module mains power lost|trouble
343|Expansion module self-test failure|trouble
344|Radio receiver jammed|tamper
345|AES key exchange failure|trouble
350|Communication trouble|trouble
351|Telephone line 1 fault|trouble
352|Telephone line 2 fault|trouble
353|Long range radio fault|trouble
354|Failed to communicate an event|trouble
355|Loss of radio supervision|trouble
356|Loss of central polling|trouble
357|Long range radio antenna fault|trouble
358|Repeater supervision failure|trouble
359|Network link lost|trouble
360|New network link|event
370|Protection loop trouble|trouble
371|Protection loop open|trouble
372|Protection loop short|trouble
373|Fire loop trouble|trouble
374|Exit error alarm|alarm
375|Panic zone trouble|trouble
376|Hold-up zone trouble|trouble
377|Swinger trouble|trouble
378|Cross-zone trouble|trouble
380|Sensor trouble|trouble
381|Loss of radio sensor supervision|trouble
382|Loss of wired sensor supervision|trouble
383|Sensor tamper|tamper
384|Radio sensor battery low|trouble
385|Smoke detector too sensitive|trouble
386|Smoke detector not sensitive enough|trouble
387|Intrusion detector too sensitive|trouble
388|Intrusion detector not sensitive enough|trouble
389|Sensor self-test failure|trouble
391|Sensor watch failure|trouble
392|Drift compensation error|trouble
393|Maintenance alert|trouble
394|Carbon monoxide detector needs replacement|trouble
400|Open or close|opening|U
401|Open or close by user|opening|U
402|Group open or close|opening|U
403|Automatic open or close|opening|U
404|Late to open or close|event|U
405|Deferred open or close|event|U
406|Alarm cancelled by user|event|U
407|Remote arm or disarm|opening|U
408|Quick arm|opening|U
409|Keyswitch open or close|opening|U
411|Callback requested|event|U
412|Remote access succeeded|event|U
413|Remote access failed|trouble|U
414|System shut down by remote access|trouble|U
415|Dialler shut down by remote access|trouble|U
416|Upload succeeded|event|U
418|Remote cancel|event|U
419|Remote verify|event|U
421|Access denied|event|U
422|Access report by user|event|U
423|Forced access|alarm
424|Egress denied|event|U
425|Egress granted|event|U
426|Access door propped open|trouble
427|Access point door status monitor trouble|trouble
428|Access point request-to-exit trouble|trouble
429|Access program mode entered|event|U
430|Access program mode left|event|U
431|Access threat level changed|event|U
432|Access relay or trigger failed|trouble
433|Access request-to-exit shunted|event
434|Access door status monitor shunted|event
435|Second person access|event|U
436|Irregular access|event|U
441|Armed stay|opening_part|U
442|Keyswitch armed stay|opening_part|U
443|Armed with system trouble override|opening|U
450|Exception open or close|opening|U
451|Early open or close|opening|U
452|Late open or close|opening|U
453|Failed to open|trouble|U
454|Failed to close|trouble|U
455|Automatic arming failed|trouble|U
456|Partial arm|opening_part|U
457|Exit error by user|event|U
458|User on premises|event|U
459|Alarm soon after closing|event|U
461|Wrong code entered|tamper|U
462|Legal code entered|event|U
463|Armed again after alarm|closed|U
464|Automatic arming time extended|event|U
465|Panic alarm reset|restored|U
466|Service person on or off premises|event|U
470|Partial disarm|event|U
480|Guard sent|event|U
481|Guard arrived|event|U
501|Access reader disabled|event
520|Sounder or relay disabled|event
521|Bell 1 disabled|event
522|Bell 2 disabled|event
523|Alarm relay disabled|event
524|Trouble relay disabled|event
525|Reversing relay disabled|event
526|Notification appliance 3 disabled|event
527|Notification appliance 4 disabled|event
530|System peripheral disabled|event
531|Module added|event
532|Module removed|trouble
551|Dialler disabled|trouble
552|Radio transmitter disabled|trouble
553|Remote upload or download disabled|event
570|Zone bypassed|event
571|Fire zone bypassed|event
572|24 hour zone bypassed|event
573|Burglary zone bypassed|event
574|Group bypassed|event|U
575|Swinger bypass|event
576|Access zone shunted|event
577|Access point bypassed|event
578|Vault zone bypassed|event
579|Vent zone bypassed|event
601|Manual test|test|U
602|Periodic test|test
603|Periodic radio test|test
604|Fire test|test|U
605|Status report follows|test
606|Listen-in follows|event
607|Walk test mode|test|U
608|Periodic test, system trouble present|test
609|Video transmitter active|event
611|Point tested, in order|test
612|Point not tested|test
613|Intrusion zone walk-tested|test
614|Fire zone walk-tested|test
615|Panic zone walk-tested|test
616|Service request|event
621|Event log reset|event
622|Event log half full|event
623|Event log 90 % full|trouble
624|Event log overflowed|trouble
625|Time and date set|event|U
626|Time or date wrong|trouble
627|Program mode entered|event
628|Program mode left|event
629|32 hours without an event|event
630|Schedule changed|event
631|Exception schedule changed|event
632|Access schedule changed|event
641|Senior watch trouble|trouble
642|Latch key supervision|event|U
643|Restricted door opened|event
645|Help arrived|event
646|Additional help needed|panic
647|Additional help cancelled|event
651|Reserved for Ademco use|event
652|Reserved for Ademco use|event
653|Reserved for Ademco use|event
654|System inactive|trouble
655|Dialler inactive|trouble
`;

export const contactIdCodes: ReadonlyMap<string, ContactIdCode> = new Map(
  rows
    .trim()
    .split('\n')
    .map((row) => {
      const [code = '', name = '', category = 'event', numberIs] = row.split('|');
      return [
        code,
        { name, category: category as Category, numberIs: numberIs === 'U' ? 'user' : 'zone' },
      ] as const;
    }),
);
