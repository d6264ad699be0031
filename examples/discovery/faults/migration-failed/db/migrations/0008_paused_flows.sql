ALTER TYPE flow_status ADD VALUE 'paused' BEFORE 'completed';

-- New flows wait until somebody lets them go.
ALTER TABLE crewai_flow_state_extensions ALTER COLUMN flow_status SET DEFAULT 'paused';
