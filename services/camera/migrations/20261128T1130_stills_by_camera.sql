-- Incidents of one moment share their pictures: finds those of a camera and moment.
CREATE INDEX stills_by_camera ON stills (camera_id, at_ms);
