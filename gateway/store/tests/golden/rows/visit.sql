INSERT INTO visit VALUES ('visit-0', 'PSEUDO', 1795428000000, NULL, '{"id":"visit-0","room":"cabin","pseudonym":"PSEUDO","consent":"signed","opened_by":"card","opened":1795428000000}');
INSERT INTO visit VALUES ('visit-1', NULL, 1795428000001, 1795428000101, '{"id":"visit-1","room":"cabin","code":"4711","opened_by":"code","opened":1795428000001,"ended":[1795428000101,"completed"]}');
INSERT INTO visit VALUES ('visit-2', NULL, 1795428000002, 1795428000102, '{"id":"visit-2","room":"cabin","opened_by":"worker","opened":1795428000002,"ended":[1795428000102,"abandoned"]}');
INSERT INTO visit VALUES ('visit-3', NULL, 1795428000003, 1795428000103, '{"id":"visit-3","room":"cabin","opened_by":"worker","opened":1795428000003,"ended":[1795428000103,"timed_out"]}');
INSERT INTO visit VALUES ('visit-4', NULL, 1795428000004, 1795428000104, '{"id":"visit-4","room":"cabin","opened_by":"worker","opened":1795428000004,"ended":[1795428000104,"superseded"]}');
